import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import { npm, root } from './checkout/cli.ts';
import type { MeshStatus } from '../../infra/status/mesh-status.ts';
import { ensureUp, kubeconfig } from './checkout/lab.ts';
import { shop } from './checkout/sample.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const second = 1_000;

type Container = Readonly<Record<string, unknown>> & { readonly name: string };
interface Workload extends KubernetesObject {
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

/** What is broken in the first container of each workload, its app's: in the east three, in the west one that only crashes. */
const broken: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'east/catalog': { image: 'localhost/meshwright/nowhere:1' },
  'east/orders': {
    env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'no-such-secret', key: 'password' } } }],
  },
  'east/edge': { image: 'localhost/NotAName:1' },
  'west/catalog': {
    command: [
      '/usr/bin/node',
      '-e',
      // Both lines in one stream: what a pod writes to two has no order.
      "console.error('reading it'); console.error('no DB_URL'); process.exit(3)",
    ],
  },
};

/** For `applyVariant`. */
function breakIn(cluster: string): (object: KubernetesObject) => KubernetesObject {
  return (object) => {
    const change = broken[`${cluster}/${object.metadata.name}`];
    if (object.kind !== 'Deployment' || change === undefined) return object;
    const { spec } = object as Workload;
    const [app, ...beside] = spec.template.spec.containers;
    const containers = [{ ...app, ...change }, ...beside];
    const template = { ...spec.template, spec: { ...spec.template.spec, containers } };
    return { ...object, spec: { ...spec, template } };
  };
}

interface Told {
  /** Milliseconds since the variant was begun. */
  readonly at: number;
  readonly line: string;
}
const told: Told[] = [];
let problem: Error;
let ended: number;
const firstAbout = (subject: string, pattern: RegExp) =>
  told.find(({ line }) => line.startsWith(subject) && pattern.test(line));

beforeAll(async () => {
  if (existsSync(kubeconfig)) await applyVariant(shop.mesh({ root, environment: 'lab' }));
  else await ensureUp();
  const started = Date.now();
  const work = applyVariant(shop.mesh({ root, environment: 'lab' }), {
    changeIn: breakIn,
    report: (line) => told.push({ at: Date.now() - started, line }),
  });
  problem = await work.then(
    () => new Error('it went well'),
    (error: unknown) => error as Error,
  );
  ended = Date.now() - started;
}, 60 * minute);
afterAll(async () => {
  await applyVariant(shop.mesh({ root, environment: 'lab' }));
  expect(await npm('status')).toMatchObject({ code: 0 });
}, 30 * minute);

test.each([
  [
    'east: Deployment shop/catalog',
    /cannot pull its image: (ErrImagePull|ImagePullBackOff): .*connection refused/,
  ],
  ['east: Deployment shop/orders', /CreateContainerConfigError: secret "no-such-secret" not found$/],
  ['east: Deployment shop/edge', /has an image whose name is invalid: InvalidImageName: /],
  ['west: Deployment shop/catalog', /ended with exit code 3.*; its log ends: reading it \| no DB_URL$/],
])('the reason of %s is told within 15 s', (subject, pattern) => {
  const waiting = firstAbout(subject, /available: waiting/);
  const reason = firstAbout(subject, pattern);
  process.stderr.write(
    `${subject}: waited for from ${waiting?.at} ms, told at ${reason?.at} ms: ${reason?.line}\n`,
  );
  expect(reason?.line).toMatch(pattern);
  expect(reason!.at - waiting!.at).toBeLessThan(15 * second);
});

test('the wait ends early, with all that does not start', () => {
  process.stderr.write(`ended after ${ended} ms:\n${problem.message}\n`);
  expect(problem).toBeInstanceOf(ProblemsError);
  // A workload has 300 s to get ready, a pull that fails 120.
  expect(ended).toBeLessThan(110 * second);
  const heads = problem.message.split('\n').filter((line) => !line.startsWith(' '));
  expect(heads.map((line) => line.slice(0, line.indexOf(': does not get ready'))).sort()).toEqual(
    Object.keys(broken)
      .map((key) => key.replace('/', ': Deployment shop/'))
      .sort(),
  );
  const crash = heads.find((line) => line.startsWith('west: '));
  expect(crash).toMatch(
    /container catalog of Pod shop\/catalog-\S+ ended with exit code 3, restarted 3 times; fix: correct the error in its log, then run the command again; to see more: `kubectl --kubeconfig \S+ --context west -n shop logs catalog-\S+ -c catalog( --previous)?`$/,
  );
  expect(problem.message).toMatch(
    /\n {4}the log of container catalog of .* ends:\n {6}reading it\n {6}no DB_URL$/m,
  );
});

test('status is not healthy while old pods answer, and says why', async () => {
  const { code, stdout } = await npm('status', ['--json']);
  expect(code).toBe(1);
  const seen = JSON.parse(stdout) as MeshStatus;
  expect(seen.crossCluster.ok).toBe(true);
  expect(seen.services['catalog']).toEqual({
    east: { desired: 1, ready: 1 },
    west: { desired: 1, ready: 1 },
  });
  expect(seen.rollouts.map(({ cluster, object }) => `${cluster}: ${object}`).sort()).toEqual(
    Object.keys(broken)
      .map((key) => key.replace('/', ': Deployment shop/'))
      .sort(),
  );
  expect(seen.rollouts.find(({ cluster }) => cluster === 'west')?.because).toMatch(
    /^container catalog of Pod shop\/catalog-\S+ ended with exit code 3, restarted \d times$/,
  );
});
