import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { ProblemsError } from '../core/problem.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';
import { ExternalService } from './constructs/access/external-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import { Mesh } from './constructs/mesh.ts';
import { GrpcService } from './constructs/workload/grpc-service.ts';
import { declare } from './declare.ts';
import {
  fillHoles,
  hole,
  holeProblems,
  holesIn,
  type HoleKind,
  type HoleValues,
  markedNames,
} from './holes.ts';
import { released } from './platforms.ts';
import { synthesize } from './synth.ts';
import { clusters } from './testing/mesh.ts';
import { keptProject } from './testing/project.ts';

const root = keptProject();
const values = (registry: string, issuer: string, database: string) => ({
  platform: released({ imageHub: `${registry}/shop`, istioTag: '1.29.2' }),
  jwt: { issuer, audiences: ['shop'], jwksUri: `${issuer}/keys` },
  hosts: [{ database }],
});
const declaration = declare({
  environments: {
    lab: values('registry.example', 'https://issuer.example', 'db.example'),
    prod: values(hole('registry'), hole('issuer', 'url'), `db.${hole('zone')}`),
  },
  mesh: ({ values: { platform, jwt, hosts } }) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
    const shop = mesh.namespace('shop');
    const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
    for (const { database } of hosts)
      catalog.callsExternal(
        new ExternalService(shop, 'database', { host: database, port: 8443, protocol: 'TLS' }),
      );
    new HttpEdge(shop, 'edge', { expose: [catalog], jwt });
    return mesh;
  },
});
const filling = {
  registry: 'registry.example',
  issuer: 'https://issuer.example',
  zone: 'example',
};
const filled = (given: Readonly<Record<string, string>>, open?: readonly string[]): HoleValues => ({
  where: 'Pulumi.prod.yaml',
  values: given,
  ...(open && { open }),
});
const prod = (of?: HoleValues) =>
  synthesize(declaration.mesh({ root, environment: 'prod', ...(of && { filled: of }) }));
const hosts = 'HOST or HOST:PORT, in lower case, such as registry.example:5000';
const urls = 'https://HOST, with a port and a path where it has them, and without user, query and fragment';

describe('a hole', () => {
  test('stands in what is rendered as a name that nobody can have, named at the head of each file that has it', () => {
    expect(declaration.holes('lab')).toEqual([]);
    expect(declaration.holes('prod')).toEqual([
      { name: 'issuer', kind: 'url' },
      { name: 'registry', kind: 'host' },
      { name: 'zone', kind: 'host' },
    ]);
    const heads = new Map(prod().map(({ path, yaml }) => [path, /^(#.*\n)*/.exec(yaml)?.[0] ?? '']));
    const head =
      '# Holes: Pulumi.prod.yaml has a value for each, which stands in its place when this is applied.\n';
    expect(heads.get('east/50-workloads.k8s.yaml')).toBe(`${head}#   registry: meshwright:values.registry\n`);
    const all = [...heads.values()].join('');
    for (const name of ['issuer', 'registry', 'zone'])
      expect(all).toContain(`#   ${name}: meshwright:values.${name}\n`);
    expect(heads.get('east/00-namespaces.k8s.yaml')).toBe('');
    for (const { yaml, objects } of prod())
      expect(parseAllDocuments(yaml).map((one) => one.toJSON() as unknown)).toEqual(
        JSON.parse(JSON.stringify(objects)),
      );
  });

  test('that is filled leaves what the value itself would render, to the byte', () => {
    const plain = synthesize(declaration.mesh({ root, environment: 'lab' }));
    expect(prod(filled(filling)).map(({ yaml }) => yaml)).toEqual(plain.map(({ yaml }) => yaml));
  });

  test('may stay open beside others that are filled', () => {
    const { registry, ...others } = filling;
    const texts = prod(filled(others, ['registry'])).map(({ yaml }) => yaml);
    expect(texts.some((yaml) => yaml.includes('image: registry.hole.invalid/shop/catalog'))).toBe(true);
    expect(texts.filter((yaml) => /(issuer|zone)\.(url-)?hole/.test(yaml))).toEqual([]);
    expect(registry).toBe('registry.example');
  });

  test('is filled in what is plain, and leaves everything else as it is, by identity', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const same = { CatalogService, cycle, when: new Date(0), list: [1, NaN, { deep: 'x' }] };
    expect(fillHoles(same, { values: filling })).toBe(same);
    const made = fillHoles({ ...same, at: [`${hole('registry')}:1`, hole('other')] }, { values: filling });
    expect(made.at).toEqual(['registry.example:1', 'other.hole.invalid']);
    expect([made.CatalogService, made.cycle, made.list]).toEqual([CatalogService, cycle, same.list]);
    expect(made.list).toBe(same.list);
    expect(holesIn(new Map([[1, hole('hidden')]]))).toEqual([]);
  });
});

describe('is refused, all at once:', () => {
  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'a hole without a value, and a value without a hole',
      { regstry: 'registry.example', issuer: 'https://issuer.example' },
      [
        `Pulumi.prod.yaml: values.registry: is missing: environment prod of mesh.ts has a hole of this name; allowed ${hosts}; fix: give it as meshwright:values.registry`,
        `Pulumi.prod.yaml: values.zone: is missing: environment prod of mesh.ts has a hole of this name; allowed ${hosts}; fix: give it as meshwright:values.zone`,
        'Pulumi.prod.yaml: values.regstry: fills no hole: environment prod of mesh.ts has none of this name; allowed issuer, registry, zone; fix: did you mean registry?',
      ],
    ],
    [
      'what is no host and no URL',
      {
        registry: 'https://registry.example',
        issuer: 'http://issuer.example',
        zone: 'zone.hole.invalid',
        constructor: 'x',
      },
      [
        `Pulumi.prod.yaml: values.issuer: is not an https URL; received "http://issuer.example"; allowed ${urls}`,
        `Pulumi.prod.yaml: values.registry: is not a host; received "https://registry.example"; allowed ${hosts}`,
        `Pulumi.prod.yaml: values.zone: is not a host; received "zone.hole.invalid"; allowed ${hosts}`,
        'Pulumi.prod.yaml: values.constructor: fills no hole: environment prod of mesh.ts has none of this name; allowed issuer, registry, zone; fix: remove it',
      ],
    ],
    [
      'a URL with a password, which is not shown',
      { ...filling, issuer: 'https://user:secret@issuer.example' },
      [`Pulumi.prod.yaml: values.issuer: is not an https URL; allowed ${urls}`],
    ],
    [
      'a query and a fragment with a token, which are not shown',
      { ...filling, issuer: 'https://idp.example/x?token=abc', registry: 'registry.example#abc' },
      [
        `Pulumi.prod.yaml: values.issuer: is not an https URL; allowed ${urls}`,
        `Pulumi.prod.yaml: values.registry: is not a host; allowed ${hosts}`,
      ],
    ],
    [
      'a host that readers of URLs take for another one',
      { ...filling, issuer: 'https:///issuer.example', registry: '1' },
      [
        `Pulumi.prod.yaml: values.issuer: is not an https URL; received "https:///issuer.example"; allowed ${urls}`,
        `Pulumi.prod.yaml: values.registry: is not a host; received "1"; allowed ${hosts}`,
      ],
    ],
  ])('%s', (_, given, messages) => {
    expect(() => prod(filled(given))).toThrow(new Error(messages.join('\n')));
  });

  test.each([
    'Registry.example',
    'registry.example/',
    'registry.example:0',
    'registry.example:65536',
    'registry..example',
    '-a.example',
    'a b',
    '',
    '127.1',
    '256.0.0.1',
    `${'a.'.repeat(127)}aa`,
  ])('%j for a host', (registry) => {
    expect(() => prod(filled({ ...filling, registry }))).toThrow(
      /^Pulumi.prod.yaml: values.registry: is not a host/,
    );
  });

  test.each([
    'https://',
    'https://issuer.example?a',
    'https://issuer.example#a',
    'https://issuer.example:0',
    'https://a b.example',
    'https:///issuer.example',
    'https://1',
    'https://0x7f.1/realm',
    'https://Issuer.example/realm',
    'https://issuer.url-hole.invalid',
    'issuer.example',
  ])('%j for a URL', (issuer) => {
    expect(() => prod(filled({ ...filling, issuer }))).toThrow(
      /^Pulumi.prod.yaml: values.issuer: is not an https URL/,
    );
  });

  test.each<[name: unknown, kind: unknown, message: string]>([
    [
      'Registry',
      'port',
      'hole: has a name that is not a DNS label; received "Registry"; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end\n' +
        'hole: is not a kind of hole; received "port"; allowed host, url',
    ],
    ['registry', 'toString', 'hole: is not a kind of hole; received "toString"; allowed host, url'],
    [
      7,
      'url',
      'hole: has a name that is not a DNS label; received 7; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end',
    ],
  ])('the name %j with the kind %j', (name, kind, message) => {
    expect(() => hole(name as string, kind as HoleKind)).toThrow(ProblemsError);
    expect(() => hole(name as string, kind as HoleKind)).toThrow(new Error(message));
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['an address and the port of HTTPS', { registry: '10.0.0.5:443', issuer: 'https://10.0.0.5:443/' }],
    [
      'a port, and a path with letters of both cases',
      { registry: 'registry:5000', issuer: 'https://idp:8443/Realms/a' },
    ],
  ])('but not %s', (_, given) => {
    expect(holeProblems('prod', declaration.holes('prod'), filled({ ...filling, ...given }))).toEqual([]);
  });

  test('what stands before a host without a character that ends a name', () => {
    const read = (text: string) => holesIn([text]).map(({ name }) => name);
    expect(read(`eu-${hole('registry')}`)).toEqual(['eu-registry']);
    for (const before of ['', 'eu.', 'https://', 'oci:', '/'])
      expect([before, read(`${before}${hole('registry')}/shop`)]).toEqual([before, ['registry']]);
  });

  test('one name for a host and a URL', () => {
    const one = { a: hole('idp'), b: hole('idp', 'url') };
    expect(() =>
      declare({ environments: { lab: one }, mesh: () => declaration.mesh({ root, environment: 'lab' }) }),
    ).toThrow(
      new Error(
        'mesh.ts: environments.lab: has a hole idp for a host and one for a URL; fix: give each a name of its own',
      ),
    );
  });

  const encoded = (text: string) => Buffer.from(text).toString('base64');
  test.each([
    ['in upper case', 'host: X.HOLE.INVALID'],
    ['in mixed case', 'host: X.Hole.invalid/y'],
    ['as a URL in upper case', 'HTTPS://X.URL-HOLE.INVALID'],
    ['escaped for a regular expression', 'regex: ^x\\.hole\\.invalid$'],
    ['escaped once more by YAML', 'regex: "^x\\\\.hole\\\\.invalid$"'],
    ...['', '-', '--'].map((before) => [
      `in Base64, after ${before.length} bytes`,
      `data: {a: ${encoded(`/${before}/ x.hole.invalid:5000`)}}`,
    ]),
  ])('a marker is found %s', (_, text) => {
    expect(markedNames(`kind: ConfigMap\n${text}\n`)).toEqual(['x']);
  });

  test.each(['host: x.whole.valid', `data: {a: ${encoded('registry.example')}}`, 'hole: invalid'])(
    'no marker is found in %j',
    (text) => {
      expect(markedNames(text)).toEqual([]);
    },
  );

  test.each<[string, { readonly hidden?: Map<string, string> }, HoleValues | undefined]>([
    ['a hole that is written beside the values', {}, undefined],
    ['one where all others are filled', {}, filled({})],
    ['one in a value that is no plain object', { hidden: new Map([['host', hole('registry')]]) }, filled({})],
  ])('%s', (_, given, of) => {
    const beside = declare({
      environments: { prod: given },
      mesh: ({ values: { hidden } }) => {
        const platform = released({ imageHub: hidden?.get('host') ?? hole('registry'), istioTag: '1.29.2' });
        const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
        new GrpcService(mesh.namespace('shop'), 'catalog', { app: 'apps/catalog', service: CatalogService });
        return mesh;
      },
    });
    const what =
      'has the marker of the hole registry, which nothing would fill; ' +
      'allowed holes in the strings of the values of an environment, and of plain objects and arrays in them; ' +
      "fix: write hole('registry') there, and use the value that `mesh` is given";
    expect(() => synthesize(beside.mesh({ root, environment: 'prod', ...(of && { filled: of }) }))).toThrow(
      new Error(['east', 'west'].map((cluster) => `${cluster}/50-workloads.k8s.yaml: ${what}`).join('\n')),
    );
  });
});
