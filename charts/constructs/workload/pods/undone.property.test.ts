// Whatever patches are drawn, of the rendered pods or of parts of them: what the mesh guarantees of pods is there afterwards, or synth refuses it.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Patch } from '../../../../apps/config/pod/pod.ts';
import { OrdersService } from '../../../../gen/test/orders/v1/orders_pb.js';
import type { KubernetesObject } from '../../../model/mesh-model.ts';
import { image, type Shop } from '../../../testing/foreign.ts';
import { objectOf, twoClusters } from '../../../testing/mesh.ts';
import { withProject } from '../../../testing/project.ts';
import { ProblemsError } from '../../../../core/problem.ts';
import { synthesize } from '../../../synth.ts';
import { GrpcService } from '../grpc-service.ts';

const cart = (patches: readonly Patch[]) => (shop: Shop) =>
  new GrpcService(shop, 'cart', {
    ...{ image, service: OrdersService, port: 7070 },
    pod: {
      volumes: { data: { emptyDir: {} } },
      mounts: { '/data': 'data' },
      containers: [{ name: 'helper', image: 'registry.example/helper:1.0.0' }],
      patches,
    },
  });

/** What synth renders in a namespace that would take any pods; undefined where it refuses. */
function rendered(patches: readonly Patch[]): KubernetesObject | undefined {
  return withProject({}, (root) => {
    const mesh = twoClusters(root);
    cart(patches)(mesh.namespace('shop', { podSecurity: { level: 'privileged', reason: 'a driver' } }));
    try {
      return objectOf(synthesize(mesh), 'east', 'Deployment', 'cart');
    } catch (error) {
      if (error instanceof ProblemsError) return undefined;
      throw error;
    }
  });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly resources: { readonly limits?: { readonly memory?: string } };
  readonly lifecycle?: { readonly preStop?: unknown };
  readonly volumeMounts?: readonly { readonly name: string }[];
  readonly ports?: readonly { readonly hostPort?: number }[];
  readonly securityContext?: {
    readonly runAsUser?: number;
    readonly runAsNonRoot?: boolean;
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly privileged?: boolean;
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] };
    readonly procMount?: string;
  };
}
interface Spec {
  readonly replicas: number;
  readonly selector: unknown;
  readonly strategy: unknown;
  readonly template: {
    readonly metadata: {
      readonly labels: Readonly<Record<string, string>>;
      readonly annotations: Readonly<Record<string, string>>;
    };
    readonly spec: Readonly<Record<string, unknown>> & {
      readonly containers: readonly Container[];
      readonly initContainers?: readonly Container[];
      readonly volumes?: readonly Readonly<Record<string, unknown>>[];
      readonly securityContext?: { readonly runAsUser?: number; readonly runAsNonRoot?: boolean };
    };
  };
}

/** What is guaranteed, said once more and by itself: not by the functions that refuse. */
function broken(before: Spec, after: Spec): readonly string[] {
  const [was, is] = [before.template, after.template];
  const found: string[] = [];
  const must = (holds: boolean, what: string) => {
    if (!holds) found.push(what);
  };
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  must(same(before.selector, after.selector), 'selector');
  must(same(before.strategy, after.strategy), 'strategy');
  must(before.replicas === after.replicas, 'replicas');
  for (const [name, value] of Object.entries(was.metadata.labels))
    must(is.metadata.labels[name] === value, `label ${name}`);
  must(is.metadata.labels['sidecar.istio.io/inject'] === undefined, 'injection');
  for (const [name, value] of Object.entries(was.metadata.annotations))
    must(is.metadata.annotations[name] === value, `annotation ${name}`);
  for (const name of Object.keys(is.metadata.annotations))
    must(!name.includes('istio.io/') || name.startsWith('sidecar.istio.io/proxyCPU'), `annotation ${name}`);
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
    must(is.spec[key] !== true, key);
  must(is.spec['serviceAccountName'] === 'cart', 'account');
  must(is.spec['automountServiceAccountToken'] === false, 'token');
  must(Number(is.spec['terminationGracePeriodSeconds']) >= 30, 'grace');
  for (const volume of is.spec.volumes ?? []) must(!('hostPath' in volume), 'folder of the node');
  must(
    same(
      is.spec.containers.map((one) => [one.name, one.image]),
      was.spec.containers.map((one) => [one.name, one.image]),
    ),
    'containers',
  );
  must((is.spec.initContainers ?? []).length === 0, 'init containers');
  const shared = is.spec.securityContext ?? {};
  must(shared.runAsUser !== 0 && shared.runAsNonRoot !== false, 'root');
  for (const [index, { securityContext: own = {}, ...one }] of is.spec.containers.entries()) {
    must(own.runAsUser !== 0 && (own.runAsNonRoot ?? shared.runAsNonRoot) === true, 'root');
    must(own.readOnlyRootFilesystem === true, 'writable root');
    must(own.allowPrivilegeEscalation === false && own.privileged !== true, 'privileges');
    must(own.capabilities?.drop?.includes('ALL') === true, 'capabilities');
    must(
      (own.capabilities?.add ?? []).every((name) => name === 'NET_BIND_SERVICE'),
      'more capabilities',
    );
    must((own.procMount ?? 'Default') === 'Default', '/proc');
    must(one.resources.limits?.memory !== undefined, 'limits');
    must(same(one.lifecycle?.preStop, was.spec.containers[index]?.lifecycle?.preStop), 'end');
    for (const { hostPort } of one.ports ?? []) must(hostPort === undefined, 'port of the node');
    for (const { name } of one.volumeMounts ?? []) must(!name.startsWith('istio-'), 'volume of the proxy');
  }
  return found;
}

const before = rendered([]);
const spec = before?.['spec'] as Spec;

/** Pointers to every part of the rendered object. */
function pointers(value: unknown, at = ''): readonly string[] {
  if (typeof value !== 'object' || value === null) return [at];
  const escaped = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');
  return [at, ...Object.entries(value).flatMap(([key, one]) => pointers(one, `${at}/${escaped(key)}`))];
}
const there = pointers(before).filter((pointer) => pointer !== '');
const pods = '/spec/template';
const context = `${pods}/spec/containers/0/securityContext`;

/** Places that are not there, and mean something to Kubernetes or Istio. */
const places = [
  ...['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace', 'serviceAccount', 'initContainers'].map(
    (key) => `${pods}/spec/${key}`,
  ),
  ...['runAsUser', 'privileged', 'procMount', 'capabilities/add', 'runAsGroup'].map(
    (key) => `${context}/${key}`,
  ),
  ...['runAsUser', 'sysctls'].map((key) => `${pods}/spec/securityContext/${key}`),
  ...['sidecar.istio.io~1inject', 'istio.io~1rev', 'security.istio.io~1tlsMode'].map(
    (key) => `${pods}/metadata/labels/${key}`,
  ),
  ...[
    'sidecar.istio.io~1inject',
    'traffic.sidecar.istio.io~1excludeInboundPorts',
    'proxy.istio.io~1config',
  ].map((key) => `${pods}/metadata/annotations/${key}`),
  ...['volumes/-', 'containers/-', 'containers/0/volumeMounts/-', 'containers/0/ports/0/hostPort'].map(
    (key) => `${pods}/spec/${key}`,
  ),
];
const values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      0,
      1,
      1337,
      true,
      false,
      'false',
      'true',
      '*',
      'Unmasked',
      'orders',
      'Always',
      null,
      {},
      [],
      ['SYS_ADMIN'],
      ['ALL'],
    ],
    ...[
      { privileged: true },
      { runAsUser: 0 },
      { name: 'node', hostPath: { path: '/' } },
      { type: 'Recreate' },
    ],
    ...[
      { name: 'istio-token', mountPath: '/t' },
      { 'app.kubernetes.io/name': 'orders' },
      { matchLabels: {} },
    ],
    ...[{ name: 'cart', image: 'registry.example/other:1.0.0' }, [{ name: 'cart', image }]],
  ),
  // Parts of the object in the place of others.
  fc.constantFrom(...there).map((pointer) => partAt(pointer)),
);

function partAt(pointer: string): unknown {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return keys.reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>>)[key], before);
}

const anyPath = fc.constantFrom(...there, ...places, ...places);
const patch: fc.Arbitrary<Patch> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), path: anyPath, value: values }),
  fc.record({ op: fc.constant('remove' as const), path: fc.constantFrom(...there) }),
  fc.record({
    op: fc.constantFrom('move' as const, 'copy' as const),
    from: fc.constantFrom(...there),
    path: anyPath,
  }),
);

test('no patch without a reason undoes a guarantee, whatever it is', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(patch, { minLength: 1, maxLength: 3 }), (patches) => {
      const object = rendered(patches);
      if (object === undefined) return;
      taken += 1;
      expect(broken(spec, object['spec'] as Spec)).toEqual([]);
    }),
    { numRuns: Math.min(Number(process.env['MESHWRIGHT_FUZZ_RUNS'] ?? 200), 3_000) },
  );
  // Some pass, such as an annotation of one's own: it is not that everything is refused.
  expect(taken).toBeGreaterThan(0);
});

test('what is drawn has every way to undo it', () => {
  for (const place of places.filter(
    (path) => !/serviceAccount$|initContainers|runAsGroup|sysctls|\/-$/.test(path),
  ))
    expect(there).not.toContain(place);
  expect(broken(spec, spec)).toEqual([]);
});
