import { isIP } from 'node:net';
import {
  dnsLabelRule,
  isDnsLabel,
  isSubdomain,
  nearest,
  subdomainRule,
  takenContainers,
} from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { checkEnv } from '../env-rules.ts';
import type { Probe, Probes } from '../probes.ts';
import { checkResources } from '../rules.ts';
import { apiRuleProblems } from './api-rules.ts';
import { annotationProblems, labelProblems } from './names.ts';
import type { ExtraContainer, InitContainer, Mounts, PodConfig, Toleration, Volume } from './pod.ts';

/** The pod that something is said of. */
export interface PodOf {
  /** Name of the service's own container. */
  readonly name: string;
  /** Ports that its other containers listen on, with whose they are. */
  readonly ports: readonly (readonly [port: number, of: string])[];
}

/** Volumes that Istio's injection, or the mesh, put into pods. */
const takenVolumes =
  /^(?:istio.*|workload-socket|credential-socket|workload-certs|descriptors|external-tls-.*|kubernetes-api|kube-api-access.*)$/;
/** Where the kubelet puts the token for the Kubernetes API. */
const tokenFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Whether what is said of a pod fits together, and what it is in. */
export function podProblems(where: string, pod: PodConfig, of: PodOf): readonly Problem[] {
  const containers = [
    ...(pod.initContainers ?? []).map((one, index) => [`${where}.initContainers[${index}]`, one] as const),
    ...(pod.containers ?? []).map((one, index) => [`${where}.containers[${index}]`, one] as const),
  ];
  return [
    ...labelProblems(`${where}.labels`, pod.labels ?? {}, 'pods'),
    ...annotationProblems(`${where}.annotations`, pod.annotations ?? {}, 'pods'),
    ...labelProblems(`${where}.nodeSelector`, pod.nodeSelector ?? {}, 'nodes'),
    ...annotationProblems(
      `${where}.serviceAccount.annotations`,
      pod.serviceAccount?.annotations ?? {},
      'account',
    ),
    ...(pod.tolerations ?? []).flatMap((one, index) =>
      tolerationProblems(`${where}.tolerations[${index}]`, one),
    ),
    ...aliasProblems(`${where}.hostAliases`, pod.hostAliases ?? {}),
    ...Object.entries(pod.volumes ?? {}).flatMap(([name, one]) =>
      volumeProblems(`${where}.volumes.${name}`, name, one),
    ),
    ...mountProblems(`${where}.mounts`, pod.mounts ?? {}, pod),
    ...containers.flatMap(([at, one]) => containerProblems(at, one, pod)),
    ...apiRuleProblems(`${where}.kubernetesApi`, pod.kubernetesApi ?? {}),
    ...nameProblems(containers, of),
    ...portProblems(containers, of),
    ...unmounted(
      where,
      pod,
      containers.map(([, one]) => one),
    ),
  ];
}

function tolerationProblems(where: string, one: Toleration): readonly Problem[] {
  const { key, operator, value, effect, tolerationSeconds } = one;
  const problems: Problem[] = [];
  if (operator === 'Exists' && value !== undefined)
    problems.push({
      where: `${where}.value`,
      what: 'is not compared by the operator Exists',
      received: value,
      fix: 'remove it',
    });
  if (key === undefined && operator !== 'Exists') {
    const what = 'missing, and without it every taint is meant';
    problems.push({
      where: `${where}.key`,
      what,
      fix: 'add it, or write operator: Exists to tolerate every taint',
    });
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const what = 'is for the effect NoExecute alone';
    problems.push({
      where: `${where}.tolerationSeconds`,
      what,
      received: tolerationSeconds,
      fix: 'remove it',
    });
  }
  return problems;
}

function aliasProblems(where: string, aliases: NonNullable<PodConfig['hostAliases']>): readonly Problem[] {
  return Object.entries(aliases).flatMap(([address, names]) => [
    ...(isIP(address) === 0
      ? [{ where, what: 'is not an IP address', received: address, allowed: 'an IPv4 or IPv6 address' }]
      : []),
    ...names
      .filter((name) => !isSubdomain(name))
      .map((received) => ({
        where: `${where}.${address}`,
        what: 'is not a name of a host',
        received,
        allowed: subdomainRule,
      })),
  ]);
}

/** Most bytes of files. A ConfigMap holds 1 MiB (https://kubernetes.io/docs/concepts/configuration/configmap/#motivation), and its object has more than its data. */
const mostBytes = 900 * 1024;

/** What is wrong with the name of a volume. */
export function volumeNameProblem(where: string, name: string): Problem | undefined {
  if (!isDnsLabel(name))
    return { where, what: 'the name of the volume is not valid', received: name, allowed: dnsLabelRule };
  if (!takenVolumes.test(name)) return undefined;
  const what = 'is the name of a volume that Istio or the mesh may put into the pod';
  return { where, what, received: name, fix: 'choose another' };
}

function volumeProblems(where: string, name: string, volume: Volume): readonly Problem[] {
  const unfit = volumeNameProblem(where, name);
  if (unfit !== undefined) return [unfit];
  const files = 'files' in volume ? Object.entries(volume.files) : [];
  const received = files.reduce((sum, [file, text]) => sum + file.length + Buffer.byteLength(text), 0);
  if (received <= mostBytes) return [];
  const what = 'has files of more bytes than a ConfigMap holds';
  return [
    { where, what, received, allowed: `at most ${mostBytes}`, fix: 'put them into the image, or a claim' },
  ];
}

function mountProblems(where: string, mounts: Mounts, pod: PodConfig): readonly Problem[] {
  const volumes = Object.keys(pod.volumes ?? {});
  return Object.entries(mounts).flatMap(([path, mount]): readonly Problem[] => {
    const at = `${where}.${path}`;
    const received = typeof mount === 'string' ? mount : mount.volume;
    if (path === tokenFolder || path.startsWith(`${tokenFolder}/`)) {
      const what = 'is where the token for the Kubernetes API is';
      return [{ where: at, what, received: path, fix: 'choose another path, or use kubernetesApi' }];
    }
    if (volumes.includes(received)) return [];
    const near = nearest(received, volumes);
    return [
      {
        where: at,
        what: 'there is no such volume',
        received,
        allowed: volumes.length === 0 ? 'none, as volumes is empty' : volumes.join(', '),
        fix: near === undefined ? 'add it to volumes' : `did you mean ${near}?`,
      },
    ];
  });
}

function containerProblems(where: string, one: ExtraContainer, pod: PodConfig): readonly Problem[] {
  const keyed = (...path: readonly string[]) => `${where}.${path.join('.')}`;
  const isSidecar = 'sidecar' in one && (one as InitContainer).sidecar === true;
  const endsFirst = where.includes('.initContainers[') && !isSidecar;
  const kinds = probesOf(one).flatMap(([, probe]) => {
    if (probe === 'none') return [];
    if ('grpc' in probe) return ['gRPC'];
    return 'tcp' in probe && probe.tcp.port === undefined ? ['TCP'] : [];
  });
  const asked = probesOf(one).some(([, probe]) => probe !== 'none');
  return [
    ...checkEnv({ env: one.env ?? {} }, keyed, false),
    ...checkResources({ resources: one.resources }, keyed),
    ...mountProblems(`${where}.mounts`, one.mounts ?? {}, pod),
    ...(kinds.length > 0 && one.ports?.length !== 1
      ? [
          {
            where: `${where}.ports`,
            what: `a probe by ${kinds[0] ?? ''} asks the only port of the container`,
            received: one.ports ?? [],
            allowed: 'one port',
            fix: 'name its port, or probe it by http or exec',
          },
        ]
      : []),
    ...(endsFirst && (asked || one.preStop !== undefined || one.postStart !== undefined)
      ? [
          {
            where,
            what: 'probes, postStart and preStop are for containers that keep running',
            received: one.name,
            fix: 'remove them, or add sidecar: true',
          },
        ]
      : []),
  ];
}

/** Probes as they are parsed: each of the three. */
export function probesOf({ probes }: ExtraContainer): readonly (readonly [keyof Probes, Probe])[] {
  return Object.entries((probes ?? {}) as Probes) as [keyof Probes, Probe][];
}

type Placed = readonly (readonly [where: string, container: ExtraContainer])[];

function nameProblems(containers: Placed, of: PodOf): readonly Problem[] {
  return containers.flatMap(([where, { name }], index): readonly Problem[] => {
    const at = `${where}.name`;
    if (takenContainers.includes(name)) {
      const what = 'is the name of a container that Istio or the HTTP gateway has in the same pod';
      return [
        { where: at, what, received: name, allowed: `a name other than ${takenContainers.join(', ')}` },
      ];
    }
    const before = [of.name, ...containers.slice(0, index).map(([, one]) => one.name)];
    if (!before.includes(name)) return [];
    return [
      {
        where: at,
        what: 'is the name of another container of the pod',
        received: name,
        fix: 'choose another',
      },
    ];
  });
}

/** Containers of a pod share its ports. Those that have ended before others start need none. */
function portProblems(containers: Placed, of: PodOf): readonly Problem[] {
  const taken = new Map(of.ports);
  return containers.flatMap(([where, { name, ports = [] }]) =>
    ports.flatMap((port, index): readonly Problem[] => {
      const owner = taken.get(port);
      taken.set(port, owner ?? name);
      if (owner === undefined) return [];
      const what = `is a port that ${owner} listens on in the same pod`;
      return [{ where: `${where}.ports[${index}]`, what, received: port, fix: 'choose another' }];
    }),
  );
}

/** Volumes that nobody mounts: what they are for is most likely misspelt. */
function unmounted(where: string, pod: PodConfig, containers: readonly ExtraContainer[]): readonly Problem[] {
  const mounts = [pod.mounts, ...containers.map((one) => one.mounts)].flatMap((one) =>
    Object.values(one ?? {}),
  );
  const used = mounts.map((mount) => (typeof mount === 'string' ? mount : mount.volume));
  return Object.keys(pod.volumes ?? {})
    .filter((name) => !used.includes(name))
    .map((name) => ({
      where: `${where}.volumes.${name}`,
      what: 'no container mounts this volume',
      fix: 'add it to the mounts of a container, or remove it',
    }));
}
