import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { root } from './checkout/cli.ts';
import { ensureUp, kubeconfig, labPath } from './checkout/lab.ts';

const minute = 60_000;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshwright-yaml-'));
  await ensureUp();
}, 60 * minute);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const toolEnv = () => ({ ...process.env, PATH: `${labPath()}:${process.env['PATH'] ?? ''}` });

const tool = (command: string, cluster: string, ...args: string[]) =>
  execFileSync(command, ['--kubeconfig', kubeconfig, '--context', cluster, ...args], {
    encoding: 'utf8',
    env: toolEnv(),
    timeout: minute,
  });

/** The reviewed YAML of a cluster without the IstioOperator, which istioctl renders and no API server knows. */
function distOf(cluster: string): readonly { kind: string; metadata: { name: string } }[] {
  const dist = join(root, 'dist', 'lab', cluster);
  return readdirSync(dist).flatMap((file) =>
    parseAllDocuments(readFileSync(join(dist, file), 'utf8'))
      .map((document) => document.toJS() as { kind: string; metadata: { name: string } })
      .filter(({ kind }) => kind !== 'IstioOperator'),
  );
}

function dryRun(
  cluster: string,
  objects: readonly object[],
): { readonly applied: number; readonly warnings: string[] } {
  const file = join(folder, `${cluster}.json`);
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
  const where = ['--kubeconfig', kubeconfig, '--context', cluster];
  const how = ['--server-side', '--force-conflicts', '--field-manager=meshwright'];
  const args = [...where, 'apply', ...how, '--dry-run=server', '--validate=strict', '-f', file];
  const { status, stdout, stderr } = spawnSync('kubectl', args, { encoding: 'utf8', env: toolEnv() });
  const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '');
  expect([status, stderr.replaceAll(/^Warning: .*$/gm, '').trim()]).toEqual([0, '']);
  return { applied: lines(stdout).length, warnings: lines(stderr) };
}

test.each(['east', 'west'])(
  'the API server of %s takes every object of dist, without a warning',
  (cluster) => {
    const objects = distOf(cluster);
    expect(objects.length).toBeGreaterThan(20);
    const { applied, warnings } = dryRun(cluster, objects);
    expect(applied).toBe(objects.length);
    // istiod says this of every EnvoyFilter there is; there is no other way to count methods and to limit rates.
    const unavoidable = 'Warning: EnvoyFilter exposes internal implementation details';
    expect(warnings.filter((warning) => !warning.startsWith(unavoidable))).toEqual([]);
  },
);

test.each([
  ['east', 'west'],
  ['west', 'east'],
])('istioctl analyze has no error and no warning for %s', (cluster, other) => {
  // By itself it goes by the remote secrets, and waits for ever for what they may not read.
  const remote = ['--remote-contexts', other];
  const printed = tool('istioctl', cluster, 'analyze', '--all-namespaces', '--output', 'json', ...remote);
  const messages = JSON.parse(printed) as readonly {
    readonly level: string;
    readonly message: string;
    readonly origin: string;
  }[];
  // Informational ones are left: that namespaces of gateways are not enabled for sidecars, which is as it should be. So
  // is what istiod says of every EnvoyFilter.
  const expected = ({ level, message }: (typeof messages)[number]) =>
    level === 'Info' || message.includes('EnvoyFilter exposes internal implementation details');
  expect(messages.filter((message) => !expected(message))).toEqual([]);
});

test.each(['east', 'west'])('istiod of %s refuses a resource that its schema lets through', (cluster) => {
  const wrong = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'wrong', namespace: 'shop' },
    spec: { hosts: ['catalog'], http: [{ route: [{ destination: { host: 'catalog' }, weight: -1 }] }] },
  };
  const file = join(folder, `${cluster}-wrong.json`);
  writeFileSync(file, JSON.stringify(wrong));
  expect(() => tool('kubectl', cluster, 'apply', '--server-side', '--dry-run=server', '-f', file)).toThrow(
    /admission webhook "validation.istio.io" denied the request/,
  );
});
