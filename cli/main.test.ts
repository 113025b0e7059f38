import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs the real command line. */
function meshwright(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'cli/main.ts'), ...args],
    { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  return { code: status, stdout, stderr };
}

describe('a wrong use ends with exit code 2, one line a problem, and nothing done', () => {
  let folder: string;
  let kubeconfig: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cli-'));
    kubeconfig = join(folder, 'config');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: {} }],
        contexts: [{ name: 'prod-east', context: { cluster: 'c', user: 'u' } }],
      }),
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test.each<[string, readonly string[], string]>([
    ['an unknown command', ['upp'], "error: unknown command 'upp'\n(Did you mean up?)\n"],
    [
      'an unknown flag',
      ['up', '--contxt', 'a=b'],
      "error: unknown option '--contxt'\n(Did you mean --context?)\n",
    ],
    [
      'an unknown engine',
      ['up', '--engine', 'helm'],
      "error: option '--engine <engine>' argument 'helm' is invalid. Allowed choices are pulumi, apply.\n",
    ],
    [
      'an unknown cluster',
      ['up', '--context', 'eats=prod-east'],
      '--context: names a cluster that the mesh does not declare; received "eats"; allowed east, west; ' +
        'fix: write --context east=prod-east\n',
    ],
    [
      'Pulumi without its command',
      ['up', '--engine', 'pulumi'],
      '--engine: there is no `pulumi` command on PATH; received "pulumi"; ' +
        'allowed pulumi, where its command line is installed, or apply; ' +
        'fix: install the Pulumi command line, or leave --engine out\n',
    ],
    [
      'a subnet that is none',
      ['up', '--lab-subnet', '172.29.0.0/16'],
      '--lab-subnet: is no subnet for a lab; received "172.29.0.0/16"; allowed an IPv4 /24 such as 172.29.0.0/24\n',
    ],
  ])('%s', (_, args, message) => {
    expect(meshwright(args, { PATH: '/usr/bin:/bin' })).toEqual({ code: 2, stdout: '', stderr: message });
  });

  test('a context that the kubeconfig does not have', () => {
    const seen = meshwright(['up', '--context', 'east=prod-eats', '--context', 'west=prod-west'], {
      KUBECONFIG: kubeconfig,
    });
    expect(seen.code).toBe(2);
    expect(seen.stderr).toContain('prod-eats');
    expect(seen.stderr).toContain('prod-east');
    expect(existsSync(join(root, '.meshwright', 'lock'))).toBe(false);
  });

  test('help is no error', () => {
    const { code, stdout } = meshwright(['up', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--context <CLUSTER=CONTEXT>');
  });
});
