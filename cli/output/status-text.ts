import { own } from '../../core/own.ts';
import type { ClusterStatus, ControlPlaneStatus, MeshStatus } from '../../infra/status/mesh-status.ts';
import { table, wrap } from './layout.ts';

/** The status for people: healthy or not, what is wrong, then tables; no line over 80 columns but for URLs and paths. */
export function formatStatus(seen: MeshStatus): string {
  const parts = [
    verdict(seen),
    clusterTable(seen),
    gatewayTable(seen),
    serviceTable(seen),
    runTable(seen),
    accessTable(seen),
    [
      crossing(seen.crossCluster),
      `applied by: ${seen.engine === 'pulumi' ? 'Pulumi' : 'server-side apply'}`,
      ...trustLines(seen),
    ].flatMap((line) => wrap(line, '', '  ')),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function crossing({ ok, checked }: MeshStatus['crossCluster']): string {
  if (ok === null)
    return 'calls between clusters: no edge has one to try (npm run up -- --prove tries all that is declared)';
  return `calls between clusters: ${ok ? 'answered' : 'FAILED'}, checked ${checked}`;
}

/** Healthy or not; then what is wrong, and what will be. */
export function verdict(seen: MeshStatus): readonly string[] {
  const wrong = troubles(seen);
  const count = (things: object, one: string) => {
    const { length } = Object.keys(things);
    return `${length} ${length === 1 ? one : `${one}s`}`;
  };
  const [clusters, services] = [count(seen.clusters, 'cluster'), count(seen.services, 'service')];
  const first =
    wrong.length === 0
      ? `healthy: ${clusters} and ${services} are ready${seen.crossCluster.ok === true ? ', and clusters reach each other' : ''}`
      : 'not healthy:';
  return [
    ...wrap(first, '', '  '),
    ...wrong.flatMap((line) => wrap(line, '  - ', '    ')),
    ...warnings(seen).flatMap((line) => wrap(`warning: ${line}`, '', '  ')),
    ...risks(seen).flatMap((line) => wrap(`risk: ${line}`, '', '  ')),
  ];
}

const opened = { all: 'all Secrets', namespace: "the Secrets of the control plane's namespace" } as const;

/** What whoever takes something of the mesh can do with it, that no lock stops. */
function risks({ clusters }: MeshStatus): readonly string[] {
  const links = Object.entries(clusters).flatMap(([reader, { remotes }]) =>
    Object.entries(remotes).map(([of, { listsSecrets }]) => ({ reader, of, listsSecrets })),
  );
  const withKey = (of: string) => clusters[of]?.trust?.keyInSecret !== false;
  return Object.entries(opened).flatMap(([listed, what]) =>
    [true, false].flatMap((keyInSecret) => {
      const open = links.filter(
        ({ of, listsSecrets }) => listsSecrets === listed && withKey(of) === keyInSecret,
      );
      if (open.length === 0) return [];
      const pairs = open.map(({ reader, of }) => `${reader} of ${of}`).join(', ');
      const which = open.length === links.length ? '' : ` (${pairs})`;
      const key = `the key of its CA ${keyInSecret ? 'among them' : 'is in none'}`;
      return [
        `a remote secret${which} opens ${what} of the cluster that it reads${keyInSecret ? ',' : ';'} ${key}: docs/security.md`,
      ];
    }),
  );
}

/** All that keeps the mesh from being healthy; nothing exactly when `isHealthy` says that it is. */
export function troubles(seen: MeshStatus): readonly string[] {
  const clusters = Object.entries(seen.clusters);
  return [
    ...clusters.flatMap(([name, cluster]) => (cluster.ready ? [] : [`cluster ${name} ${why(cluster)}`])),
    ...Object.entries(seen.services).flatMap(([service, replicas]) =>
      Object.entries(replicas).flatMap(([cluster, { ready, desired }]) =>
        ready >= desired ? [] : [`service ${service}: ${ready} of ${desired} pods are ready in ${cluster}`],
      ),
    ),
    ...clusters.flatMap(([name, { remotes }]) =>
      Object.entries(remotes).flatMap(([of, { problem }]) =>
        problem === null
          ? []
          : [`the control plane of ${name} does not read the API server of ${of}: ${problem}`],
      ),
    ),
    ...seen.rollouts.map(
      ({ cluster, object, missing, because }) =>
        `${object} in ${cluster}: ${missing}${because === null ? '' : `: ${because}`}`,
    ),
    ...seen.runs.flatMap(({ cluster, object, state, because }) =>
      state !== 'failed' && state !== 'missing'
        ? []
        : [
            `${object} in ${cluster}: ${state === 'failed' ? `it failed: ${because ?? ''}` : (because ?? '')}`,
          ],
    ),
    ...unfinishedTroubles(seen),
    ...(seen.crossCluster.ok === false ? ['calls between clusters are not answered'] : []),
  ];
}

/** What is known of the last `up`, when it did not end well. */
function unfinishedTroubles({ unfinishedUp }: MeshStatus): readonly string[] {
  if (unfinishedUp === null) return [];
  const { since, problems } = unfinishedUp;
  if (problems === null) return [`the npm run up of ${since} was interrupted, or still runs`];
  return [`the last npm run up, of ${since}, failed`, ...problems.map((problem) => `it said: ${problem}`)];
}

/** Why a cluster is not ready, as far as its status tells. */
function why({ context, controlPlanes, nodes }: ClusterStatus): string {
  if (controlPlanes.length === 0) return `cannot be reached (context ${context})`;
  if (nodes === 0) return 'has no nodes';
  const down = controlPlanes.filter(({ ready }) => !ready).map(({ revision }) => revision);
  return down.length > 0
    ? `is not ready: control plane ${down.join(', ')} is not available`
    : 'is not ready: a node or a gateway is not';
}

function warnings({ clusters }: MeshStatus): readonly string[] {
  return Object.entries(clusters).flatMap(([name, { remotes, trust }]) => [
    ...Object.entries(remotes).flatMap(([of, { warning }]) =>
      warning === null ? [] : [`${name} reads ${of}: ${warning}`],
    ),
    ...[trust?.warning ?? []].flat().map((warning) => `${name}: ${warning}`),
  ]);
}

/** What the mesh has of its own in any cluster. On an Istio of others it has neither CAs nor gateways between clusters to speak of. */
function ownParts({ clusters }: MeshStatus) {
  const reached = Object.values(clusters).filter(({ controlPlanes }) => controlPlanes.length > 0);
  const none = (isNone: (cluster: ClusterStatus) => boolean) => reached.length > 0 && reached.every(isNone);
  return {
    cas: !none(({ certificateNotAfter }) => certificateNotAfter === null),
    eastWest: !none(({ eastWest, certificateNotAfter }) => eastWest === null && certificateNotAfter === null),
    ingress: !none(({ ingress, certificateNotAfter }) => ingress === null && certificateNotAfter === null),
  };
}

function clusterTable(seen: MeshStatus): readonly string[] {
  const { cas } = ownParts(seen);
  return table(
    ['cluster', 'ready', 'nodes', 'Istio (proxies)', ...(cas ? ['CA until'] : []), 'context'],
    Object.entries(seen.clusters).map(([name, cluster]) => [
      name,
      cluster.ready ? 'yes' : 'no',
      `${cluster.nodes}`,
      cluster.controlPlanes.map(formatControlPlane).join(', ') || '-',
      ...(cas ? [day(cluster.certificateNotAfter)] : []),
      cluster.context,
    ]),
  );
}

function gatewayTable(seen: MeshStatus): readonly string[] {
  const has = ownParts(seen);
  if (!has.ingress && !has.eastWest) return [];
  return table(
    ['gateways of', 'ingress', ...(has.eastWest ? ['east-west'] : [])],
    Object.entries(seen.clusters).map(([name, { ingress, eastWest }]) => [
      name,
      ingress ?? '-',
      ...(has.eastWest ? [eastWest ?? '-'] : []),
    ]),
  );
}

function serviceTable({ clusters, services }: MeshStatus): readonly string[] {
  const names = Object.keys(clusters);
  return table(
    ['service', ...names.map((name) => `ready in ${name}`)],
    Object.entries(services).map(([service, replicas]) => [
      service,
      ...names.map((name) => {
        const there = own(replicas, name);
        return there === undefined ? '-' : `${there.ready}/${there.desired}`;
      }),
    ]),
  );
}

function runTable({ runs }: MeshStatus): readonly string[] {
  if (runs.length === 0) return [];
  return table(
    ['job', 'in', 'state', 'last succeeded', 'last failed'],
    runs.map(({ object, cluster, state, succeeded, failed }) => [
      object.replace(/^\w+ /, ''),
      cluster,
      state,
      minute(succeeded),
      minute(failed),
    ]),
  );
}

function accessTable({ clusters }: MeshStatus): readonly string[] {
  const links = Object.entries(clusters).flatMap(([name, { remotes }]) =>
    Object.entries(remotes).map(([of, { problem, istiod, tokenNotAfter }]) => [
      name,
      of,
      problem === null ? istiod : 'FAILED',
      day(tokenNotAfter),
    ]),
  );
  return links.length === 0 ? [] : table(['control plane of', 'reads', 'state', 'token until'], links);
}

/** What the clusters' trust is, once where it is the same. */
function trustLines({ clusters }: MeshStatus): readonly string[] {
  const known = Object.entries(clusters).flatMap(([name, { trust }]) =>
    trust === null ? [] : [{ name, text: `${trust.state}, root until ${day(trust.rootNotAfter)}` }],
  );
  const texts = new Set(known.map(({ text }) => text));
  return texts.size === 1
    ? [...texts].map((text) => `trust: ${text}`)
    : known.map(({ name, text }) => `trust in ${name}: ${text}`);
}

/** `1-30 (12)`, with the number of proxies. */
function formatControlPlane({ revision, ready, proxies }: ControlPlaneStatus): string {
  return `${revision}${ready ? '' : ' not ready'} (${proxies})`;
}

/** The minute of a time in ISO 8601: `2031-01-01 02:30Z`. */
function minute(time: string | null): string {
  return time === null ? '-' : `${time.slice(0, 16).replace('T', ' ')}Z`;
}

/** The day of a time in ISO 8601. */
function day(time: string | null): string {
  return time?.slice(0, 10) ?? '-';
}
