import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { stages } from '../../charts/model/stage.ts';
import { killHard, npm, root, start } from './checkout/cli.ts';
import { clusters, expectNoMesh, otherCheckout, type OtherCheckout } from './checkout/contexts.ts';
import { everything } from './everything.ts';
import { ensureLab, kubeconfig, kubectl, labPath } from './checkout/lab.ts';

const minute = 60_000;
/** How many random moments. */
const moments = everything ? 10 : 1;
/** What they are drawn from; a run prints it in the names of its tests. */
const seed = Number(process.env['MESHWRIGHT_E2E_SEED'] ?? Date.now() % 1_000_000);

let other: OtherCheckout;
/** How long `up` takes from empty clusters, in milliseconds; measured below. */
let whole = minute;

beforeAll(async () => {
  await ensureLab();
  other = otherCheckout();
  // What the suites before left becomes this checkout's, and is removed: everything here starts from nothing.
  await killedAt('00-namespaces: ready');
  await downToNothing();
}, 60 * minute);
afterAll(() => {
  other.remove();
});

const up = () => npm('up', other.flags, other.env);
const startUp = () => start('up', other.flags, other.env);

/** `up` goes on and ends well, and nothing is left of what was interrupted. */
async function converge(): Promise<void> {
  expect(await up()).toMatchObject({ code: 0 });
  expect(await npm('status', [], other.env)).toMatchObject({ code: 0 });
  // Neither more nor less than declared: an object that is missing, other or left over would be a change.
  expect(await up()).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^nothing to change: all \d+ objects are as declared/m),
  });
  for (const cluster of clusters) expectTrustAndAccess(cluster);
  expect(readdirSync(join(other.state, 'trust')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
}

/** The cluster signs with the CA of the trust folder, and its access to each other cluster is one that this grants. */
function expectTrustAndAccess(cluster: string): void {
  const secret = (name: string) => {
    const { data } = JSON.parse(
      kubectl(cluster, '-n', 'istio-system', 'get', `secret/${name}`, '-o', 'json'),
    ) as { readonly data: Readonly<Record<string, string>> };
    return (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  };
  const trusted = (file: string) => readFileSync(join(other.state, 'trust', cluster, file), 'utf8');
  const cacerts = secret('cacerts');
  for (const file of ['ca-cert.pem', 'ca-key.pem']) expect(cacerts(file) === trusted(file)).toBe(true);
  for (const remote of clusters.filter((name) => name !== cluster)) {
    const folder = mkdtempSync(join(tmpdir(), 'meshwright-remote-'));
    try {
      const file = join(folder, 'kubeconfig');
      writeFileSync(file, secret(`istio-remote-secret-${remote}`)(remote), { mode: 0o600 });
      const answer = kubectl(remote, '--kubeconfig', file, 'auth', 'can-i', 'watch', 'endpointslices', '-A');
      expect(answer.trim()).toBe('yes');
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

async function downToNothing(): Promise<void> {
  expect(await npm('down', [], other.env)).toMatchObject({ code: 0 });
  expectNoMesh();
}

/** Kills `up` as soon as it has said so. */
async function killedAt(line: string): Promise<void> {
  const running = startUp();
  await running.printed(new RegExp(line));
  await killHard(running);
}

/** Of the stages that the mesh has anything in. */
const boundaries = stages
  .filter((stage) => existsSync(join(root, 'dist', 'lab', clusters[0], `${stage}.k8s.yaml`)))
  .map((stage) => clusters.map((cluster) => `${cluster} ${stage}: ready`));

test(
  'up stopped by Ctrl-C says so, and, killed after every stage of one cluster in turn, goes on each time from there',
  async () => {
    const stopped = startUp();
    await stopped.printed(/10-control-plane|istiod/);
    process.kill(-stopped.child.pid!, 'SIGINT');
    expect(await stopped.finished).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/^stopped by SIGINT; run the command again to continue$/m),
    });
    for (const [line] of boundaries) await killedAt(line!);
    await converge();
  },
  30 * minute,
);

/** Kills an `up` that has scaled its catalog to 0, and says whether it was killed before it scaled it back. */
async function killedWithoutCatalog(): Promise<boolean> {
  // Watched from before: the proof may need its catalog gone for a second only.
  const catalog = ['-n', 'shop', 'get', 'deployments', '--field-selector', 'metadata.name=catalog'];
  const replicas = ['-o', String.raw`jsonpath={.spec.replicas}{"\n"}`];
  const context = ['--kubeconfig', kubeconfig, '--context', 'east'];
  const watch = spawn('kubectl', [...context, ...catalog, '--watch', ...replicas], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${labPath()}:${process.env['PATH'] ?? ''}` },
  });
  try {
    const gone = new Promise<'scaled'>((resolve) => {
      createInterface({ input: watch.stdout }).on('line', (line) => {
        if (line === '0') resolve('scaled');
      });
    });
    const running = start('up', [...other.flags, '--prove'], other.env);
    expect(await Promise.race([gone, running.finished])).toBe('scaled');
    await killHard(running);
  } finally {
    watch.kill();
  }
  const now = kubectl('east', '-n', 'shop', 'get', 'deployment/catalog', '-o', 'jsonpath={.spec.replicas}');
  return now === '0';
}

test(
  'up killed while its proof has scaled a service to 0 brings it back',
  async () => {
    // On a busy machine the kill may come when the service is back already: then this moment was not the one.
    let tries = 1;
    while (!(await killedWithoutCatalog())) {
      tries++;
      expect(tries).toBeLessThanOrEqual(5);
    }
    await converge();
    await downToNothing();
  },
  20 * minute,
);

/** Each stage's end, or one of them, by the seed: every `down` starts from nothing again. */
const ends = boundaries.map(([, line]) => line!);

test.each(everything ? ends : [ends[seed % ends.length]!])(
  'down is clean after up was killed at "%s"',
  async (line) => {
    const began = Date.now();
    await killedAt(line);
    whole = Date.now() - began;
    await downToNothing();
  },
  20 * minute,
);

describe(`at random moments of seed ${seed}`, () => {
  // mulberry32: a sequence of numbers from 0 to 1 that its seed alone decides.
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  // The last of them leaves the mesh up, as the suites after expect it.
  const cases = Array.from({ length: moments }, (_, index) => ({
    share: random(),
    then: (moments - index) % 2 === 1 ? 'up' : 'down',
    last: index === moments - 1,
  }));
  test.each(cases)(
    'up is killed after $share of its time, then $then',
    async ({ share, then, last }) => {
      const running = startUp();
      const late = await Promise.race([sleep(share * whole), running.finished]);
      if (late === undefined) await killHard(running);
      if (then === 'up') await converge();
      if (!last) await downToNothing();
    },
    20 * minute,
  );
});
