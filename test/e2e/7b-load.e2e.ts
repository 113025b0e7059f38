import { beforeAll, expect, test } from '@jest/globals';
import { waitFor } from '../../core/wait.ts';
import { ensureLab, kubectl, status } from './checkout/lab.ts';
import { loadIn, loadMesh } from './load/load-mesh.ts';
import { startLoad } from './load/steady-load.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
let ingress: Readonly<Record<string, string>>;

beforeAll(async () => {
  await ensureLab();
  await applyVariant(loadMesh(), { change: loadIn(clusters) });
  const { clusters: seen } = await status();
  ingress = Object.fromEntries(
    clusters.map((name) => [`through ${name}`, `${seen[name]!.ingress}/v1/stock/x`]),
  );
}, 60 * minute);

function restart(cluster: string, namespace: string, deployment: string): void {
  kubectl(cluster, '-n', namespace, 'rollout', 'restart', `deployment/${deployment}`);
}

/** Until the new pods serve and the old ones are gone: those still drain when `rollout status` is content. */
async function awaitRollout(cluster: string, namespace: string, deployment: string): Promise<void> {
  kubectl(cluster, '-n', namespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout=120s');
  await waitFor({ what: `old pods of ${deployment} in ${cluster} gone`, timeoutMs: 60_000 }, () => {
    const pods = kubectl(cluster, '-n', namespace, 'get', 'pods', '-o', 'name').trim().split('\n');
    const ours = pods.filter((pod) => pod.startsWith(`pod/${deployment}-`));
    return ours.length === 1
      ? { done: true, value: undefined }
      : { done: false, because: `there are ${ours.join(', ')}` };
  });
}

/** Connections of the ingress gateway of a cluster to pods of the edge: those ever made, and those open now. */
function connectionsToEdge(cluster: string) {
  const exec = ['-n', 'istio-ingress', 'exec', 'deployment/istio-ingressgateway', '--'];
  const hosts = kubectl(cluster, ...exec, 'pilot-agent', 'request', 'GET', 'clusters');
  const sum = (counter: string) => {
    const pods = [
      ...hosts.matchAll(new RegExp(`^outbound\\|\\d+\\|\\|edge\\.shop\\..*::${counter}::(\\d+)$`, 'gm')),
    ];
    if (pods.length === 0) throw new Error(`${cluster}: its ingress gateway knows no pod of the edge`);
    return pods.reduce((total, [, count]) => total + Number(count), 0);
  };
  return { made: sum('cx_total'), open: sum('cx_active') };
}

// The proxy of the edge closes one that has not been used at its age, without notice; what is sent at that moment is lost.
test.each(clusters)(
  'requests at once share connections of the ingress gateway in the %s, which closes them itself when they rest',
  async (cluster) => {
    const url = ingress[`through ${cluster}`]!;
    const { made } = connectionsToEdge(cluster);
    const answers = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const answer = await fetch(url);
        await answer.text();
        return answer.status;
      }),
    );
    expect(answers).toEqual(Array(40).fill(200));
    // One for each thread of the proxy and each pod of the edge, here one or two pods.
    expect(connectionsToEdge(cluster).made - made).toBeLessThanOrEqual(4);
    expect(connectionsToEdge(cluster).made).toBeGreaterThan(0);
    await waitFor({ what: 'connections to the edge closed', timeoutMs: minute, intervalMs: 1_000 }, () => {
      const { open } = connectionsToEdge(cluster);
      return open === 0 ? { done: true, value: true } : { done: false, because: `${open} are open` };
    });
  },
  15 * minute,
);

test(
  'callers, services, their edge and all gateways restart without a failed call',
  async () => {
    const load = await startLoad({ clusters, ingress });
    const parts = [
      ['shop', 'load'],
      ['shop', 'answers'],
      ['shop', 'edge'],
      ['istio-eastwest', 'istio-eastwestgateway'],
      ['istio-ingress', 'istio-ingressgateway'],
    ] as const;
    for (const [namespace, name] of parts) {
      const named = (cluster: string) => (name === 'answers' ? `answers-${cluster}` : name);
      for (const cluster of clusters) restart(cluster, namespace, named(cluster));
      for (const cluster of clusters) await awaitRollout(cluster, namespace, named(cluster));
    }
    const { failures, ...counts } = await load.stop();
    process.stderr.write(`everything restarted: ${JSON.stringify(counts)}\n`);
    expect(failures).toEqual([]);
    expect(counts.failed).toBe(0);
  },
  15 * minute,
);

test(
  'a service without pods is seen as failed calls of its flows alone',
  async () => {
    const load = await startLoad({ clusters, ingress });
    const scale = (replicas: number) =>
      kubectl('east', '-n', 'shop', 'scale', 'deployment/answers-east', `--replicas=${replicas}`);
    scale(0);
    kubectl(
      'east',
      '-n',
      'shop',
      'wait',
      '--for=delete',
      'pods',
      '-l',
      'app.kubernetes.io/name=answers-east',
    );
    scale(1);
    await awaitRollout('east', 'shop', 'answers-east');
    const { flows, failures } = await load.stop();
    expect(flows['west->east']!.failed).toBeGreaterThan(0);
    expect(flows['east->west']!.failed).toBe(0);
    expect(failures[0]).toMatchObject({ flow: 'west->east', status: '14' });
  },
  15 * minute,
);
