import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { apiReports } from '../../packaging/api-report.ts';
import { pack, type Packed } from '../../packaging/pack.ts';
import { connect } from '../../infra/kube/connection.ts';
import { writeIstioctl } from '../../infra/testing/meshes.ts';
import { npm, root } from './checkout/cli.ts';

const minute = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'own-repository-'));
const project = join(folder, 'acme');
/** Its state is its own. */
const env = { MESHWRIGHT_STATE_DIR: undefined };
const inProject = (command: string, ...flags: readonly string[]) => npm(command, flags, env, project);
let packed: readonly Packed[];

/** Runs a program in the project to its end; throws what it said when it failed. */
function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ended with ${status}\n${stdout}${stderr}`);
  return stdout;
}

const install = (...packages: readonly string[]) =>
  run(
    'npm',
    ...['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'],
    ...packages,
  );
const bin = (name: string) => join(project, 'node_modules', '.bin', name);
const read = (path: string) => readFileSync(join(project, path), 'utf8');
const edit = (path: string, from: string, to: string) => {
  const text = read(path);
  if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(join(project, path), text.replace(from, to));
};

/** In place of a team's own component: clusters and a registry that are not there yet. */
const cloud = `import * as pulumi from '@pulumi/pulumi';

class Managed extends pulumi.CustomResource {
  declare readonly kubeconfig: pulumi.Output<string>;
  declare readonly host: pulumi.Output<string>;
  constructor(name: string, parent: pulumi.Resource) {
    super('cloud:index:Managed', name, { kubeconfig: undefined, host: undefined }, { parent });
  }
}

export class Cloud extends pulumi.ComponentResource {
  readonly registry: pulumi.Output<string>;
  readonly kubeconfigs: Readonly<Record<'east' | 'west', pulumi.Output<string>>>;
  constructor(name: string) {
    super('acme:index:Cloud', name);
    this.registry = new Managed('registry', this).host;
    this.kubeconfigs = {
      east: new Managed('east', this).kubeconfig,
      west: new Managed('west', this).kubeconfig,
    };
  }
}
`;

/** Runs the project's program as a preview, by Pulumi's mocks, and prints each Deployment's name with the image of its app. */
const preview = (istioctl: string) => `import * as pulumi from '@pulumi/pulumi';

await pulumi.runtime.setMocks(
  {
    call: ({ inputs }) => inputs,
    newResource: ({ type, name, inputs }) => {
      if (type === 'kubernetes:apps/v1:Deployment')
        console.log(name, inputs.spec?.template?.spec?.containers?.[0]?.image ?? '');
      return { id: name, state: inputs };
    },
  },
  'acme',
  'prod',
  true,
);
pulumi.runtime.setAllConfig({ 'meshwright:istioctl': ${JSON.stringify(istioctl)} });
console.warn = console.log;
await import('./infra/index.ts');
await pulumi.runtime.disconnect();
`;

/** All files of dist/ with the lock, by path. */
function rendered(): Readonly<Record<string, string>> {
  const files = readdirSync(join(project, 'dist'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  const paths = [...files, join(project, 'images.lock.json')];
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

/** Deployments in a cluster's YAML, by name. */
function deployments(cluster: string): Readonly<Record<string, string>> {
  const objects = read(`dist/lab/${cluster}/50-workloads.k8s.yaml`).split('---\n');
  return Object.fromEntries(
    objects
      .filter((text) => text.includes('kind: Deployment\n'))
      .map((text) => [/^ {2}name: (.+)$/m.exec(text)?.[1] ?? '', text]),
  );
}

beforeAll(async () => {
  packed = await pack(root, join(folder, 'packages'), () => undefined);
  mkdirSync(project);
  run('npm', 'init', '--yes');
  install(...packed.map(({ file }) => file));
  run(bin('meshwright'), 'init');
  // What the package.json of the new project lists beside; TypeScript's former version is a test's wish.
  install();
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const pulumi = ['@pulumi/pulumi', '@pulumi/kubernetes'].map((name) => `${name}@${dependencies[name]!}`);
  install('--no-save', 'typescript-5.9@npm:typescript@5.9.3', ...pulumi);
}, 10 * minute);
afterAll(async () => {
  if (existsSync(join(project, '.meshwright'))) await inProject('down');
  rmSync(folder, { recursive: true });
}, 5 * minute);

describe('the packages', () => {
  test('hold no source, no test, and nothing that runs while they are installed', () => {
    for (const { name } of packed) {
      const installed = join(project, 'node_modules', name);
      const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
      expect(files.filter((file) => /\.test\.|__golden__|(?<!\.d)\.ts$/.test(file))).toEqual([]);
      const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as object;
      expect(manifest).not.toHaveProperty('scripts');
    }
    // No source of this checkout is on the project's path.
    expect(read('package.json')).not.toContain(root);
  });

  test.each([
    'meshwright/lib/core/problem.js',
    'meshwright/charts/index.ts',
    'meshwright/lib/charts/constructs/mesh.js',
    '@meshwright/runtime/lib/apps/runtime/server.js',
    '@meshwright/gateway/main.js',
    '@meshwright/lab/lib/lab/lab.js',
  ])('%s cannot be imported', (name) => {
    expect(() => run(bin('node'), '--eval', `await import('${name}')`)).toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    );
  });
});

test(
  'docs/api has every public name with its documentation',
  () => {
    const reports = apiReports(join(folder, 'packages'));
    const committed = join(root, 'docs/api');
    expect(reports.map(({ file }) => file).sort()).toEqual(readdirSync(committed).sort());
    for (const { file, text, undocumented } of reports) {
      // `npm run packages -- --api` writes what is exported now.
      expect(readFileSync(join(committed, file), 'utf8')).toBe(text);
      expect([file, undocumented]).toEqual([file, []]);
    }
  },
  5 * minute,
);

describe('a project made by init', () => {
  let first: ReturnType<typeof rendered>;

  test(
    'passes its own tests',
    async () => {
      expect(await inProject('synth')).toMatchObject({ code: 0, stderr: '' });
      expect(await inProject('test')).toMatchObject({ code: 0 });
      first = rendered();
    },
    5 * minute,
  );

  test(
    'gets services by one command each, which changes no other service',
    async () => {
      const before = deployments('east');
      expect(Object.keys(before).sort()).toEqual(['edge', 'greetings']);
      expect(await inProject('new', 'parcels')).toMatchObject({ code: 0, stderr: '' });
      expect(deployments('east')['greetings']).toBe(before['greetings']);
      expect(await inProject('new', 'gift-cards')).toMatchObject({ code: 0, stderr: '' });
      const after = deployments('east');
      expect(Object.keys(after).sort()).toEqual(['edge', 'gift-cards', 'greetings', 'parcels']);
      expect(after['greetings']).toBe(before['greetings']);
      const images = (lock: string) => (JSON.parse(lock) as { apps: Record<string, unknown> }).apps;
      const lock = join(project, 'images.lock.json');
      expect(images(read('images.lock.json'))).toMatchObject(images(first[lock] ?? ''));
    },
    5 * minute,
  );

  test(
    'declares calls by typed methods, for TypeScript 5.9 and 6.0',
    () => {
      edit(
        'mesh.ts',
        '    new HttpEdge',
        '    parcels.calls(greetings.method.getGreeting);\n    giftCards.calls(parcels.method.getParcel);\n\n    new HttpEdge',
      );
      const compilers = ['typescript', 'typescript-5.9'];
      const compile = (name: string) =>
        run(bin('node'), join(project, 'node_modules', name, 'bin', 'tsc'), '--pretty', 'false');
      for (const name of compilers) expect(compile(name)).toBe('');
      const good = read('mesh.ts');
      edit('mesh.ts', 'greetings.method.getGreeting', 'greetings.method.getGreting');
      edit('mesh.ts', "'parcels', { ", "'parcels', { placement: ['weest'], ");
      const misspelt = /Property 'getGreting' does not exist/;
      const nowhere = /Type '"weest"' is not assignable to type '"east" \| "west"'/;
      for (const name of compilers) {
        expect(() => compile(name)).toThrow(misspelt);
        expect(() => compile(name)).toThrow(nowhere);
      }
      writeFileSync(join(project, 'mesh.ts'), good);
    },
    5 * minute,
  );

  test(
    'synthesizes the same bytes twice',
    async () => {
      expect(await inProject('synth')).toMatchObject({ code: 0 });
      const before = rendered();
      rmSync(join(project, 'dist'), { recursive: true });
      expect(await inProject('synth')).toMatchObject({ code: 0 });
      expect(rendered()).toEqual(before);
      expect(Object.keys(before).filter((path) => path.includes('/dist/prod/')).length).toBeGreaterThan(5);
    },
    5 * minute,
  );

  test(
    "makes its mesh in a Pulumi program, and on clusters of a program of the team's own as docs/pulumi.md says",
    async () => {
      writeFileSync(
        join(project, 'tsconfig.infra.json'),
        '{ "extends": "./tsconfig.json", "include": ["mesh.ts", "infra"] }',
      );
      const compile = (name: string) => {
        const tsc = join(project, 'node_modules', name, 'bin', 'tsc');
        return run(bin('node'), tsc, '--pretty', 'false', '--project', 'tsconfig.infra.json');
      };
      const compilers = ['typescript', 'typescript-5.9'];
      // As init made it.
      for (const name of compilers) expect(compile(name)).toBe('');

      const document = readFileSync(join(root, 'docs/pulumi.md'), 'utf8');
      const [, program = ''] = /<!-- infra\/index\.ts -->\s+```ts\n([\s\S]*?)```/.exec(document) ?? [];
      writeFileSync(join(project, 'infra/index.ts'), program);
      writeFileSync(join(project, 'infra/cloud.ts'), cloud);
      edit('mesh.ts', 'import { declare,', 'import { declare, hole,');
      edit('mesh.ts', "'registry.example/acme'", "`${hole('registry')}/acme`");
      for (const name of compilers) expect(compile(name)).toBe('');
      expect(await inProject('synth')).toMatchObject({ code: 0, stderr: '' });
      expect(read('dist/prod/east/50-workloads.k8s.yaml')).toMatch(
        /^# Holes: .*\n# {3}registry: meshwright:values\.registry\n/,
      );

      writeFileSync(join(project, 'preview.mjs'), preview(writeIstioctl(folder)));
      const said = run(bin('node'), 'preview.mjs');
      expect(said).toContain('its checks ask no cluster');
      for (const cluster of ['east', 'west'])
        for (const service of ['greetings', 'parcels', 'gift-cards'])
          expect(said).toMatch(
            new RegExp(`^${cluster}/acme/${service} registry\\.hole\\.invalid/acme/${service}:`, 'm'),
          );
    },
    5 * minute,
  );

  test(
    'comes up in the lab with proofs of its own and a hole that the stack file fills, is healthy, and goes',
    async () => {
      edit('mesh.ts', "'lab.acme.example'", "hole('domain')");
      edit('Pulumi.lab.yaml', 'config:\n', 'config:\n  meshwright:values:\n    domain: lab.acme.example\n');
      const up = await inProject('up');
      expect(up).toMatchObject({ code: 0 });
      expect(up.stdout).toMatch(
        /parcels in east gets to greetings: GetGreeting answered by east\/greetings-/,
      );
      expect(read('dist/lab/east/10-control-plane.k8s.yaml')).toContain('trustDomain: domain.hole.invalid');
      const access = { kubeconfig: join(project, '.meshwright/kubeconfig'), context: 'east' };
      const { east } = await connect(['east'], { east: access });
      const metadata = { name: 'istio', namespace: 'istio-system' };
      const settings = await east!.get({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
      expect(settings).toMatchObject({
        data: { mesh: expect.stringContaining('trustDomain: lab.acme.example') as unknown },
      });
      const status = await inProject('status', '--json');
      expect(status).toMatchObject({ code: 0, stderr: '' });
      expect(await inProject('down')).toMatchObject({ code: 0 });
    },
    20 * minute,
  );
});
