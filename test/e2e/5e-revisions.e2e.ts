import { beforeAll, expect, test } from '@jest/globals';
import type { ClusterIstio } from '../../charts/index.ts';
import { waitFor } from '../../core/wait.ts';
import { ensureLab, kubectl, status } from './checkout/lab.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad, type LoadResult } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

// The lab has one Istio: two revisions of the same images prove the mechanism, not that versions fit together.
const minute = 60_000;
const clusters = ['east', 'west'] as const;
const both: ClusterIstio = { revisions: { default: {}, canary: {} }, use: 'default' };

let ingress: Readonly<Record<string, string>>;

const applyEast = (istio?: ClusterIstio) =>
  applyVariant(loadMesh(istio === undefined ? {} : { istio }), { change: loadIn(clusters) });

beforeAll(async () => {
  await ensureLab();
  await applyEast();
  const { clusters: seen } = await status();
  ingress = Object.fromEntries(
    clusters.map((name) => [`through ${name}`, `${seen[name]!.ingress}/v1/stock/x`]),
  );
}, 60 * minute);

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
}

/** The pods with a proxy that stay. */
function proxies(cluster: string, namespace?: string): readonly Pod[] {
  const where = namespace === undefined ? ['--all-namespaces'] : ['-n', namespace];
  const { items } = JSON.parse(kubectl(cluster, 'get', 'pods', ...where, '-o', 'json')) as { items: Pod[] };
  return items.filter(
    ({ metadata }) =>
      metadata.annotations?.['sidecar.istio.io/status'] !== undefined &&
      metadata.deletionTimestamp === undefined,
  );
}

const named = ({ metadata }: Pod) => `${metadata.name}.${metadata.namespace}`;
const uids = (cluster: string) =>
  proxies(cluster)
    .map(({ metadata }) => metadata.uid)
    .sort();

/** What a control plane says of whom it serves: the proxies connected to it. */
function connectedTo(cluster: string, istiod: string): readonly string[] {
  const request = ['pilot-discovery', 'request', 'GET', '/debug/syncz'];
  const said = kubectl(cluster, '-n', 'istio-system', 'exec', `deployment/${istiod}`, '--', ...request);
  return (JSON.parse(said) as readonly { readonly proxy: string }[]).map(({ proxy }) => proxy).sort();
}

/** Awaits that a control plane serves exactly these proxies: pods that end stay connected until they have drained. */
async function serves(cluster: string, istiod: string, pods: () => readonly Pod[]): Promise<void> {
  await waitFor({ what: `${istiod} to serve its own`, timeoutMs: 3 * minute }, () => {
    const [seen, wanted] = [connectedTo(cluster, istiod), pods().map(named).sort()];
    return JSON.stringify(seen) === JSON.stringify(wanted)
      ? { done: true, value: true }
      : { done: false, because: `it serves ${seen.join(' ')}, not ${wanted.join(' ')}` };
  });
}

/** Under load between the clusters, in both directions, and from outside through both ingress gateways. */
async function underLoad(work: () => Promise<void>): Promise<LoadResult> {
  const load = await startLoad({ clusters, ingress });
  const working = work();
  await working.catch(() => undefined);
  const result = await load.stop();
  await working;
  const { calls, failed, seconds } = result;
  process.stderr.write(`load: ${calls} calls, ${failed} failed, ${Math.round(seconds)} s\n`);
  return result;
}

const inShop = () => proxies('east', 'shop');
const elsewhere = () => proxies('east').filter(({ metadata }) => metadata.namespace !== 'shop');
const none = () => [];

test(
  'a control plane beside the one in use changes no pod',
  async () => {
    const before = clusters.map(uids);
    const result = await underLoad(() => applyEast(both));
    expect(result).toMatchObject({ failed: 0, failures: [] });
    expect(clusters.map(uids)).toEqual(before);
    await serves('east', 'istiod', () => proxies('east'));
    await serves('east', 'istiod-canary', none);
  },
  20 * minute,
);

test(
  'a namespace moves ahead of the others, and back',
  async () => {
    const west = uids('west');
    const ahead = await underLoad(() => applyEast({ ...both, namespaces: { shop: 'canary' } }));
    expect(ahead).toMatchObject({ failed: 0, failures: [] });
    await serves('east', 'istiod-canary', inShop);
    await serves('east', 'istiod', elsewhere);
    const back = await underLoad(() => applyEast(both));
    expect(back).toMatchObject({ failed: 0, failures: [] });
    await serves('east', 'istiod', () => proxies('east'));
    await serves('east', 'istiod-canary', none);
    expect(uids('west')).toEqual(west);
  },
  20 * minute,
);

test(
  'all of a cluster moves, and the old control plane goes',
  async () => {
    const west = uids('west');
    const moved = await underLoad(() => applyEast({ ...both, use: 'canary' }));
    expect(moved).toMatchObject({ failed: 0, failures: [] });
    await serves('east', 'istiod-canary', () => proxies('east'));
    await serves('east', 'istiod', none);
    const before = uids('east');
    const alone = await underLoad(() => applyEast({ revisions: { canary: {} } }));
    expect(alone).toMatchObject({ failed: 0, failures: [] });
    expect([uids('east'), uids('west')]).toEqual([before, west]);
    await serves('east', 'istiod-canary', () => proxies('east'));
    const left = kubectl('east', 'get', 'deployments', '-n', 'istio-system', '-o', 'name');
    expect(left.trim()).toBe('deployment.apps/istiod-canary');
  },
  20 * minute,
);
