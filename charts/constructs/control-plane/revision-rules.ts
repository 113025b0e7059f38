import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { dnsLabelRule, isDnsLabel, nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { supportedIstioRule, unsupportedIstio } from '../scope/istio-versions.ts';
import type { Cluster, ClusterIstio, RevisionProps } from '../scope/cluster.ts';
import type { Platform } from '../scope/platform.ts';

interface Declared {
  readonly name: string;
  readonly platform: Platform;
  readonly clusters: readonly Cluster[];
}

const istioKeys = keysOf<ClusterIstio>({ revisions: true, use: true, namespaces: true });
const revisionKeys = keysOf<RevisionProps>({ tag: true, hub: true });

type Fields = Readonly<Record<string, unknown>>;

/** `istiod-` and the revision together name a Service. */
const longestRevision = 63 - 'istiod-'.length;
const revisionRule = `${dnsLabelRule}, and at most ${longestRevision} characters here`;
const tagRule = 'an image tag: up to 128 letters, digits, dots, hyphens and underscores';

/**
 * Checks the control planes that the clusters declare.
 * @param namespaces - all that may have a revision of their own
 */
export function revisionProblems(
  { name, platform, clusters }: Declared,
  namespaces: readonly string[],
): readonly Problem[] {
  // What the rules of the platform report is not looked at here.
  const istio = (platform as Platform | undefined)?.istio;
  const isReleased = istio?.proxy === 'istio';
  const takesPlatformTag = clusters.some(({ istio: own }) =>
    own === undefined
      ? true
      : entriesOf(fieldsOf(own)?.['revisions']).some(([, props]) => tagOf(props) === undefined),
  );
  return [
    ...(isReleased && takesPlatformTag ? tagProblems(`${name}: platform.istio.tag`, istio.tag, true) : []),
    ...clusters.flatMap((cluster) => {
      const where = `${name}: clusters.${cluster.name}.istio`;
      return cluster.istio === undefined ? [] : clusterProblems(where, cluster.istio, isReleased, namespaces);
    }),
  ];
}

function clusterProblems(
  where: string,
  istio: unknown,
  isReleased: boolean,
  namespaces: readonly string[],
): readonly Problem[] {
  const declared = fieldsOf(istio);
  const revisions = entriesOf(declared?.['revisions']);
  if (declared === undefined || revisions.length === 0) {
    const allowed =
      "{ revisions: { '1-30': { tag: '1.30.0' } } }, with `default` for the one without a revision";
    const unknown = unknownKeys(where, istio, istioKeys);
    return [...unknown, { where, what: 'declares no control plane', received: istio, allowed }];
  }
  const names = revisions.map(([revision]) => revision);
  const { use } = declared;
  return [
    ...unknownKeys(where, declared, istioKeys),
    ...revisions.flatMap(([revision, props]) =>
      revisionProps(`${where}.revisions.${revision}`, revision, props, isReleased),
    ),
    ...(use === undefined && names.length > 1
      ? [
          {
            where: `${where}.use`,
            what: 'is missing: with several control planes, it says which one pods belong to',
            allowed: names.join(', '),
          },
        ]
      : []),
    ...(use === undefined ? [] : unknown(`${where}.use`, 'no such revision', use, names)),
    ...entriesOf(declared['namespaces']).flatMap(([namespace, revision]) => [
      ...unknown(`${where}.namespaces`, 'no such namespace', namespace, namespaces),
      ...unknown(`${where}.namespaces.${namespace}`, 'no such revision', revision, names),
    ]),
  ];
}

function revisionProps(
  where: string,
  revision: string,
  props: unknown,
  isReleased: boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (!isDnsLabel(revision) || revision.length > longestRevision) {
    const written = revision.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
    const fix = isDnsLabel(written) && written.length <= longestRevision ? { fix: `write ${written}` } : {};
    problems.push({
      where,
      what: 'is not a valid revision',
      received: revision,
      allowed: revisionRule,
      ...fix,
    });
  }
  const fields = fieldsOf(props);
  if (fields === undefined) {
    const allowed = "{} for the platform's images, or { tag, hub }";
    return [...problems, { where, what: 'is not an object', received: props, allowed }];
  }
  problems.push(...unknownKeys(where, fields, revisionKeys));
  const { tag, hub } = fields;
  if (tag !== undefined) problems.push(...tagProblems(`${where}.tag`, tag, isReleased));
  if (hub !== undefined && (typeof hub !== 'string' || hub === '' || hub.endsWith('/'))) {
    const allowed = 'a registry and path without a trailing slash, such as registry.example/istio';
    problems.push({ where: `${where}.hub`, what: 'is not an image registry', received: hub, allowed });
  }
  return problems;
}

/** Only released images are known by their versions: the lab builds its own. */
function tagProblems(where: string, tag: unknown, isReleased: boolean): readonly Problem[] {
  if (typeof tag !== 'string' || !/^\w[\w.-]{0,127}$/.test(tag))
    return [
      {
        where,
        what: 'is not an image tag',
        received: tag,
        allowed: isReleased ? supportedIstioRule : tagRule,
      },
    ];
  const what = isReleased ? unsupportedIstio(tag) : undefined;
  return what === undefined ? [] : [{ where, what, received: tag, allowed: supportedIstioRule }];
}

function unknown(
  where: string,
  what: string,
  received: unknown,
  names: readonly string[],
): readonly Problem[] {
  if (typeof received === 'string' && names.includes(received)) return [];
  const near = nearest(received, names);
  const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
  return [{ where, what, received, allowed: names.join(', '), ...fix }];
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(fieldsOf(value) ?? {});
}

function tagOf(props: unknown): unknown {
  return fieldsOf(props)?.['tag'];
}
