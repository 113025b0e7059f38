import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { waitFor } from '../../core/wait.ts';
import { connect } from '../../infra/kube/connection.ts';
import { writeIstioctl } from '../../infra/testing/meshes.ts';
import { nodeFolder, nodePaths } from '../../lab/node/spec.ts';
import { apiReports } from '../../packaging/api-report.ts';
import { pack, type Packed } from '../../packaging/pack.ts';
import { writeImages } from '../own-repository/images.ts';
import {
  bin,
  compile,
  compilers,
  deployments,
  edit,
  example,
  folder,
  inProject,
  install,
  project,
  read,
  rendered,
  run,
  state,
} from '../own-repository/project.ts';
import { cloud, preview } from '../own-repository/pulumi.ts';
import { askAt, type Ask } from './calls/edge.ts';
import { converse } from './calls/tcp.ts';
import { root } from './checkout/cli.ts';
import { kubectlOf } from './checkout/lab.ts';

const minute = 60_000;
let packed: readonly Packed[];

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
  if (existsSync(state)) await inProject('down');
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
      const compiled = () => compilers.map((name) => compile(name, '--project', 'tsconfig.infra.json'));
      // As init made it.
      expect(compiled()).toEqual(['', '']);

      writeFileSync(join(project, 'infra/index.ts'), example('docs/pulumi.md', 'infra/index.ts'));
      writeFileSync(join(project, 'infra/cloud.ts'), cloud);
      edit('mesh.ts', 'import { declare,', 'import { declare, hole,');
      edit('mesh.ts', "'registry.example/acme'", "`${hole('registry')}/acme`");
      expect(compiled()).toEqual(['', '']);
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
    'declares a service in another language in six lines with two calls, a cache, a front and a job, as docs/your-own-repository.md says',
    async () => {
      const declared = example('docs/your-own-repository.md', 'mesh.ts');
      const [postage = ''] = /^const postage = [^]*?^postage\.calls\(.*$/m.exec(declared) ?? [];
      expect(postage.split('\n')).toHaveLength(6);
      expect(postage).toContain('postage.calls(parcels.method.getParcel, cache.port.client);');
      cpSync(join(root, 'test/own-repository/proto'), join(project, 'proto'), { recursive: true });
      edit('mesh.ts', 'import ', `${example('docs/your-own-repository.md', 'mesh.ts: imports')}import `);
      edit('mesh.ts', '    new HttpEdge', `${declared}\n    new HttpEdge`);
      expect(await inProject('synth')).toMatchObject({ code: 0, stderr: '' });
      for (const name of compilers) expect(compile(name)).toBe('');
      expect(run(bin('buf'), 'lint', 'proto')).toBe('');
    },
    5 * minute,
  );
});

describe('in the lab', () => {
  let up: Awaited<ReturnType<typeof inProject>>;
  const clusters = ['east', 'west'] as const;
  const kubectl = kubectlOf(state);

  beforeAll(async () => {
    edit('mesh.ts', "'lab.acme.example'", "hole('domain')");
    const protos = join(folder, 'protos.binpb');
    run(bin('buf'), 'build', 'proto', '--output', protos);
    const images = await writeImages(folder, protos, { ...thisWorkspace(), report: () => undefined });
    const config = { 'meshwright:values': { domain: 'lab.acme.example' }, 'meshwright:labImages': images };
    const lines = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
    edit('Pulumi.lab.yaml', 'config:\n', `config:\n${lines.join('')}`);
    up = await inProject('up');
  }, 20 * minute);

  test('it comes up with proofs of its own and a hole that the stack file fills', async () => {
    expect(up).toMatchObject({ code: 0 });
    expect(up.stdout).toMatch(/parcels in east gets to greetings: GetGreeting answered by east\/greetings-/);
    expect(read('dist/lab/east/10-control-plane.k8s.yaml')).toContain('trustDomain: domain.hole.invalid');
    const { east } = await connect(['east'], {
      east: { kubeconfig: join(state, 'kubeconfig'), context: 'east' },
    });
    const metadata = { name: 'istio', namespace: 'istio-system' };
    const settings = await east!.get({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
    expect(settings).toMatchObject({
      data: { mesh: expect.stringContaining('trustDomain: lab.acme.example') as unknown },
    });
  });

  test('every caller is proved to get to what it calls: to a service in another language, and from it, to the cache and the front', () => {
    for (const cluster of clusters) {
      expect(up.stdout).toContain(
        `postage in ${cluster} gets to parcels: GetParcel answered by ${cluster}/parcels-`,
      );
      for (const name of ['postage', 'front'])
        expect(up.stdout).toContain(`${name} in ${cluster} connects to cache:client: cache:client answers`);
      expect(up.stdout).toContain(`requests to www through ${cluster} are answered by front: 11 of 11 each`);
    }
    expect(up.stdout).toContain('quote in west gets to postage: QuotePostage answered by postage');
  });

  describe('what the job had quoted', () => {
    const asked = { host: 'www.acme.example' };
    let addresses: readonly string[];
    const pages = (path: string, options: Ask = {}) =>
      Promise.all(
        addresses.map(async (address) => {
          const { status, body } = await askAt(address, path, { ...asked, ...options });
          return [status, body];
        }),
      );
    const everywhere = (status: number, body: string) => clusters.map(() => [status, body]);
    const prices = () => pages('/prices/parcel-1');

    beforeAll(async () => {
      const { stdout } = await inProject('status', '--json');
      const { clusters: seen } = JSON.parse(stdout) as { clusters: Record<string, { ingress: string }> };
      addresses = clusters.map((cluster) => new URL(seen[cluster]!.ingress).hostname);
    });

    test('is shown by the front from the cache, through the ingress gateways of both clusters', async () => {
      expect(await pages('/')).toEqual(everywhere(200, '<h1>Acme</h1>\n'));
      // By the service in Python, of what the one in TypeScript has: job, postage, parcels, postage, cache, front.
      expect(await prices()).toEqual(everywhere(200, '330 cents\n'));
      expect(await pages('/prices/parcel-2')).toEqual(everywhere(404, 'no price\n'));
    });

    test('is in the cache after its pod was deleted', async () => {
      kubectl('east', '-n', 'acme', 'delete', 'pod', 'cache-0', '--timeout=90s');
      kubectl('east', '-n', 'acme', 'rollout', 'status', 'statefulset/cache', '--timeout=90s');
      await waitFor({ what: 'the price in the cache that is back', timeoutMs: minute }, async () => {
        const seen = await prices();
        const done = seen.every(([status]) => status !== 503);
        return done ? { done, value: seen } : { done, because: JSON.stringify(seen) };
      });
      expect(await prices()).toEqual(everywhere(200, '330 cents\n'));
    });

    test('is refused to who has no grant: by another verb or path, and straight from the cache', async () => {
      const denied = everywhere(403, 'RBAC: access denied');
      expect(await pages('/prices/parcel-1', { method: 'POST' })).toEqual(denied);
      expect(await pages('/stock')).toEqual(denied);
      const from = { namespace: 'acme', target: 'deployment/greetings', container: 'greetings', kubectl };
      const cache = { host: 'cache.acme.svc.cluster.local', port: 4222, serverFirst: true };
      const said = { say: 'CONNECT {"verbose":false}\r\nPING\r\n', until: 'PONG' };
      for (const cluster of clusters)
        expect(converse({ cluster, ...from }, { ...cache, ...said })).toMatchObject([{ outcome: 'closed' }]);
    });
  });

  test(
    'it is healthy, the job has ended, and all goes, the volume as well',
    async () => {
      const status = await inProject('status');
      expect(status).toMatchObject({ code: 0, stderr: '' });
      expect(status.stdout).toMatch(/acme\/quote-[0-9a-f]{8} +west +complete/);
      const { volumes } = nodePaths(nodeFolder(state, 'east'));
      expect(readdirSync(volumes)).toEqual([expect.stringMatching(/^pvc-/)]);
      expect(await inProject('down')).toMatchObject({ code: 0 });
      expect(readdirSync(state).sort()).toEqual(['logs', 'trust']);
    },
    5 * minute,
  );
});
