import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { npm, root, stateDir } from './checkout/cli.ts';
import { ensureUp, kubeconfig } from './checkout/lab.ts';
import { settledMachineState } from './checkout/machine.ts';

const minute = 60_000;

beforeAll(async () => {
  await ensureUp();
}, 60 * minute);

describe('up is refused, with exit code 2 and nothing made,', () => {
  let other: string;
  beforeEach(() => {
    other = join(mkdtempSync(join(tmpdir(), 'meshwright-other-')), 'state');
  });
  afterEach(() => {
    rmSync(join(other, '..'), { recursive: true });
  });
  const orElse = 'or use two clusters you have: `npm run up -- --context east=CTX --context west=CTX`';

  test('when another checkout has its lab on the machine', async () => {
    const before = await settledMachineState();
    const { code, stderr } = await npm('up', [], { MESHWRIGHT_STATE_DIR: other });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        `lab: another checkout has its lab on this machine; received ${JSON.stringify(stateDir)}; allowed one lab per machine; ` +
        `fix: take that one down: \`MESHWRIGHT_STATE_DIR=${stateDir} npm run down\`\n`,
    });
    expect(existsSync(other)).toBe(false);
    expect(await settledMachineState()).toEqual(before);
  });

  test('without root', () => {
    // A user namespace that maps nobody: the same files, but no user id 0.
    const program = ['node_modules/.bin/node', '--disable-warning=ExperimentalWarning', 'cli/main.ts', 'up'];
    const seen = spawnIn(['unshare', '--user', ...program], { MESHWRIGHT_STATE_DIR: other });
    expect(seen).toEqual({
      code: 2,
      stderr:
        'lab: creates network namespaces, mounts and control groups, which requires root; received "user id 65534"; ' +
        `allowed root (user id 0); fix: run the command as root, ${orElse}\n`,
    });
    expect(existsSync(other)).toBe(false);
  });

  test('when its subnet is in use', async () => {
    execFileSync('ip', ['link', 'add', 'mw-busy', 'type', 'veth', 'peer', 'name', 'mw-busy-end']);
    try {
      execFileSync('ip', ['address', 'add', '172.29.7.1/24', 'dev', 'mw-busy']);
      execFileSync('ip', ['link', 'set', 'mw-busy', 'up']);
      const { code, stderr } = await npm('up', ['--lab-subnet', '172.29.7.0/24']);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^--lab-subnet: is in use: network 172\.29\.7\.\S+ on device mw-busy; received "172\.29\.7\.0\/24"; allowed an IPv4 \/24 that this machine has no route to; fix: choose another, such as `npm run up -- --lab-subnet \S+`$/m,
      );
    } finally {
      execFileSync('ip', ['link', 'delete', 'mw-busy']);
    }
  });

  test('for contexts of clusters whose mesh was made elsewhere, and down then touches nothing', async () => {
    const flags = ['--context', 'east=east', '--context', 'west=west'];
    const env = { MESHWRIGHT_STATE_DIR: other, KUBECONFIG: kubeconfig };
    const { code, stderr } = await npm('up', flags, env);
    expect(code).toBe(2);
    for (const cluster of ['east', 'west']) {
      expect(stderr).toContain(`${cluster}: Secret istio-system/cacerts: contains a different root CA`);
    }
    const down = await npm('down', [], env);
    expect(down).toMatchObject({ code: 0, stdout: expect.stringMatching(/nothing was up\n$/) });
    expect((await npm('status')).code).toBe(0);
  });
});

function spawnIn(command: readonly string[], env: NodeJS.ProcessEnv): { code: number; stderr: string } {
  const [program = '', ...args] = command;
  try {
    execFileSync(program, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    return { code: 0, stderr: '' };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { code: status, stderr };
  }
}
