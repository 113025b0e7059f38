import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';

const name = /^(?=.{1,63}$)[A-Za-z0-9](?:[-\w.]*[A-Za-z0-9])?$/;
const prefix = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const nameRule =
  'NAME or PREFIX/NAME: a name of 1 to 63 letters, digits, "-", "_" and ".", its ends letters or digits, and a DNS subdomain';
const valueRule = 'empty, or 1 to 63 letters, digits, "-", "_" and ".", its ends letters or digits';

/** Labels by which Kubernetes, Istio or the mesh know pods. */
const ownLabels = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/managed-by',
  'app.kubernetes.io/part-of',
  'version',
  'istio',
  'istio-locality',
  'pod-template-hash',
  'controller-revision-hash',
  'pod-template-generation',
  'job-name',
  'controller-uid',
];
const ownLabelDomains =
  /^(?:.*\.)?(?:istio\.io|batch\.kubernetes\.io|statefulset\.kubernetes\.io|apps\.kubernetes\.io|networking\.k8s\.io)$/;

/** Annotations that are said by other properties, or that take something away from what the mesh holds pods to. */
const ownAnnotations: readonly (readonly [RegExp, string])[] = [
  [/^meshwright\//, 'is the mesh’s own'],
  [/^checksum\/(?:proxy-)?config$/, 'is the mesh’s own'],
  [/^prometheus(?:\.istio)?\.io\//, 'says where metrics are, which the mesh writes: use metrics'],
  [/^kubectl\.kubernetes\.io\/restartedAt$/, 'is what kubectl writes to restart pods'],
  [
    /^(?:container\.)?(?:apparmor|seccomp)\.security\.(?:alpha|beta)\.kubernetes\.io\//,
    'sets the confinement of a container',
  ],
];
/** Those of Istio's that size the proxy, or set what it logs. */
const proxyAnnotations = [
  ...['proxyCPU', 'proxyCPULimit', 'proxyMemory', 'proxyMemoryLimit', 'logLevel', 'componentLogLevel'],
  'agentLogLevel',
].map((key) => `sidecar.istio.io/${key}`);

function split(key: string): readonly [string | undefined, string] {
  const slash = key.indexOf('/');
  return slash < 0 ? [undefined, key] : [key.slice(0, slash), key.slice(slash + 1)];
}

function keyProblem(where: string, key: string): readonly Problem[] {
  const [domain, rest] = split(key);
  if (name.test(rest) && (domain === undefined || prefix.test(domain))) return [];
  return [{ where, what: 'is not a valid name', received: key, allowed: nameRule }];
}

/** What is wrong with labels of pods, or with those that a node is to have. */
export function labelProblems(
  where: string,
  labels: Readonly<Record<string, string>>,
  of: 'pods' | 'nodes',
): readonly Problem[] {
  return Object.entries(labels).flatMap(([key, received]): readonly Problem[] => {
    const at = `${where}.${key}`;
    const wrong = keyProblem(at, key);
    if (wrong.length > 0) return wrong;
    const [domain = ''] = split(key);
    if (
      of === 'pods' &&
      (ownLabels.includes(key) || ownLabelDomains.test(domain) || domain === 'meshwright')
    ) {
      const what = 'is a label by which Kubernetes, Istio or the mesh know pods';
      return [
        { where: at, what, received, fix: 'remove it, or use a name of your own, such as shop.example/tier' },
      ];
    }
    if (received === '' || name.test(received)) return [];
    return [{ where: at, what: 'is not the value of a label', received, allowed: valueRule }];
  });
}

/** What is wrong with annotations of pods, or of their service account. */
export function annotationProblems(
  where: string,
  annotations: Readonly<Record<string, string>>,
  of: 'pods' | 'account',
): readonly Problem[] {
  return Object.entries(annotations).flatMap(([key, received]): readonly Problem[] => {
    const at = `${where}.${key}`;
    const wrong = keyProblem(at, key);
    if (wrong.length > 0) return wrong;
    const own = ownAnnotations.find(([pattern]) => pattern.test(key));
    if (own !== undefined) return [{ where: at, what: own[1], received, fix: 'remove it' }];
    const [domain = ''] = split(key);
    if (!/^(?:.*\.)?istio\.io$/.test(domain)) return [];
    if (of === 'pods' && proxyAnnotations.includes(key)) return [];
    const allowed = of === 'pods' ? proxyAnnotations : [];
    const near = nearest(
      key.replace(/^.*\//, ''),
      allowed.map((one) => one.replace(/^.*\//, '')),
    );
    return [
      {
        where: at,
        what: 'is an annotation of Istio that may undo what the mesh holds pods to',
        received,
        allowed: allowed.length === 0 ? 'none of Istio' : `of Istio: ${allowed.join(', ')}`,
        fix:
          near !== undefined
            ? `did you mean sidecar.istio.io/${near}?`
            : of === 'pods'
              ? 'remove it, or add it by a patch with a reason'
              : 'remove it',
      },
    ];
  });
}
