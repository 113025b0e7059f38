import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { declaredProject } from './testing/project.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const project = declaredProject();

/** The first line of `up`. */
const beginning = 'up: reading the declaration\n';
/** What `up` says to contexts without a stack. */
const ofTheLab = 'up: the environment is lab, as no --stack was given; --stack NAME takes another: prod\n';

/** Runs the real command line with a state folder of its own: what is up from this checkout is no matter. */
function meshwright(stateDir: string, args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = project) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'cli/main.ts'), ...args],
    {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '', MESHWRIGHT_STATE_DIR: stateDir, ...env },
    },
  );
  return { code: status, stdout, stderr };
}

describe('a wrong use ends with exit code 2, one line a problem, and nothing done', () => {
  let folder: string;
  let state: string;
  let kubeconfig: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cli-'));
    state = join(folder, 'state');
    kubeconfig = join(folder, 'config');
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: {} }],
        contexts: [
          { name: 'prod-east', context: { cluster: 'c', user: 'u' } },
          { name: 'prod-west', context: { cluster: 'c', user: 'u' } },
        ],
      }),
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('folders that are no name for a line', () => {
    const odd = join(folder, 'two\nlines');
    const allowed =
      'allowed any other characters, spaces and quotes among them; fix: choose another folder\n';
    expect(meshwright(odd, ['status'], { XDG_CACHE_HOME: odd })).toEqual({
      code: 2,
      stdout: '',
      stderr: [
        ['state folder (MESHWRIGHT_STATE_DIR)', odd],
        ['cache folder (XDG_CACHE_HOME, HOME)', join(odd, 'meshwright')],
      ]
        .map(
          ([where, path]) =>
            `${where}: has a control character or bytes that are no UTF-8 in its path; received ${JSON.stringify(path)}; ${allowed}`,
        )
        .join(''),
    });
    expect(existsSync(odd)).toBe(false);
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
      'an environment that is not declared',
      ['up', '--stack', 'pord'],
      '--stack: mesh.ts declares no environment of this name; received "pord"; allowed lab, prod; fix: did you mean prod?\n',
    ],
    [
      'an export of one',
      ['export', '--out', 'mesh', '--secret-store', 'vault', '--stack', 'staging'],
      '--stack: mesh.ts declares no environment of this name; received "staging"; allowed lab, prod; fix: declare it among the environments of mesh.ts\n',
    ],
    [
      'images of one',
      ['images', '--stack', 'pord'],
      '--stack: mesh.ts declares no environment of this name; received "pord"; allowed lab, prod; fix: did you mean prod?\n',
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
      '--lab-subnet: is not a valid subnet for a lab; received "172.29.0.0/16"; allowed an IPv4 /24 such as 172.29.0.0/24\n',
    ],
    [
      'an export to nowhere',
      ['export', '--secret-store', 'vault'],
      "error: required option '--out <DIR>' not specified\n",
    ],
    [
      'an export that leaves open where its secrets are',
      ['export', '--out', 'mesh'],
      "error: required option '--secret-store <NAME>' not specified\n",
    ],
    [
      'an export in an unknown format',
      ['export', '--out', 'mesh', '--secret-store', 'vault', '--format', 'flux'],
      "error: option '--format <format>' argument 'flux' is invalid. Allowed choices are kustomize, argocd.\n",
    ],
    [
      'an ApplicationSet of no repository',
      ['export', '--out', 'mesh', '--secret-store', 'vault', '--format', 'argocd'],
      '--repo: is missing: an ApplicationSet names the repository of its tree; allowed the URL that Argo CD reads it by\n',
    ],
  ])('%s', (_, args, message) => {
    // What the parser of the command line refuses has not begun.
    const begins = args[0] === 'up' && !message.startsWith('error:');
    expect(meshwright(state, args, { PATH: '/usr/bin:/bin' })).toEqual({
      code: 2,
      stdout: begins ? beginning : '',
      stderr: message,
    });
    expect(existsSync(state)).toBe(false);
  });

  test('a context that the kubeconfig does not have', () => {
    const flags = ['--context', 'east=prod-eats', '--context', 'west=prod-west'];
    expect(meshwright(state, ['up', ...flags], { KUBECONFIG: kubeconfig })).toEqual({
      code: 2,
      stdout: beginning + ofTheLab,
      stderr: `cluster east: ${kubeconfig} has no such context; received "prod-eats"; allowed prod-east, prod-west; fix: did you mean prod-east?\n`,
    });
    expect(existsSync(state)).toBe(false);
  });

  test('a server that cannot be reached is a failure, not a wrong use', () => {
    const flags = ['--context', 'east=prod-east', '--context', 'west=prod-west'];
    expect(meshwright(state, ['up', ...flags], { KUBECONFIG: kubeconfig })).toEqual({
      code: 1,
      stdout: beginning + ofTheLab,
      stderr: ['east', 'west']
        .map(
          (cluster) =>
            `cluster ${cluster}: its API server https://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1; ` +
            'fix: start the cluster or correct the address in the kubeconfig, then run the command again\n',
        )
        .join(''),
    });
    expect(existsSync(state)).toBe(false);
  });

  test('status of what is not up', () => {
    expect(meshwright(state, ['status'])).toEqual({
      code: 1,
      stdout: '',
      stderr: 'the mesh: is not up from this checkout; fix: run `npm run up`\n',
    });
    expect(meshwright(state, ['status', '--json'])).toEqual({
      code: 1,
      stdout: '{\n  "up": false\n}\n',
      stderr: '',
    });
  });

  test('status where there is no declaration', () => {
    const stderr = `mesh.ts: there is none in ${folder}; allowed a file whose default export is declare({ environments, mesh }); fix: run the command in the folder of your project, or write the file (docs/environments.md)\n`;
    for (const args of [['status'], ['status', '--json']])
      expect(meshwright(state, args, {}, folder)).toEqual({ code: 2, stdout: '', stderr });
  });

  test('images of a registry in the lab, which pulls none', () => {
    const registry = join(folder, 'registry');
    mkdirSync(registry);
    writeFileSync(join(registry, 'Pulumi.lab.yaml'), 'config: {}\n');
    writeFileSync(
      join(registry, 'mesh.ts'),
      `import { declare, Mesh, released } from ${JSON.stringify(join(root, 'charts/index.ts'))};
const clusters = { east: { network: 'n', region: 'r', zone: 'z' } };
const platform = released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' });
export default declare({
  environments: { lab: {} },
  mesh: ({ root }) => new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform }),
});
`,
    );
    const of = (key: string, hub: string) =>
      `environment lab: platform.${key}: is a registry, and the lab pulls no images: it has those that are built on this machine; received "${hub}"; allowed localhost/meshwright; fix: declare \`platform: lab\` for this environment, or bring it up in clusters of your own (--stack, --context)\n`;
    expect(meshwright(state, ['up', '--engine', 'apply'], {}, registry)).toEqual({
      code: 2,
      stdout: beginning,
      stderr: of('imageHub', 'registry.example/shop') + of('istio.hub', 'docker.io/istio'),
    });
    expect(existsSync(state)).toBe(false);
  });

  test('help is no error', () => {
    const { code, stdout } = meshwright(state, ['up', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--context <CLUSTER=CONTEXT>');
  });
});
