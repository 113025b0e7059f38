import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { loadAppConfig, loadAppConfigs, parseAppConfig } from './app-config.ts';
import { good, problemsOf, problemsWith } from './testing/config.ts';

const topKeys =
  'name, services, ports, image, resources, replicas, autoscaling, shutdown, env, httpGateway, pod';
const label = 'a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';
const port =
  'a port from 1024 to 65535, except 15000 to 15099 (used by Istio), 9464 and 9465 (used for metrics)';

describe('parseAppConfig', () => {
  test('accepts a whole config and returns it with its directory', () => {
    expect(parseAppConfig('apps/catalog', good)).toEqual({ directory: 'apps/catalog', ...good });
  });

  test('fills in what may be left out', () => {
    const { name, ports, resources, replicas } = good;
    const { version, title, description } = good.image;
    const image = { version, title, description };
    const rest = { name, ports, image, resources, replicas };
    expect(parseAppConfig('apps/catalog', rest)).toEqual({
      directory: 'apps/catalog',
      ...rest,
      image: { ...image, nodeOptions: [] },
      services: [],
      shutdown: { drainSeconds: 15, graceSeconds: 30 },
      env: {},
      httpGateway: false,
    });
    expect(parseAppConfig('apps/catalog', { ...rest, autoscaling: { maxReplicas: 3 } }).autoscaling).toEqual({
      maxReplicas: 3,
      cpuPercent: 70,
    });
    expect(parseAppConfig('apps/catalog', { ...rest, shutdown: { graceSeconds: 45 } }).shutdown).toEqual({
      drainSeconds: 15,
      graceSeconds: 45,
    });
  });

  test.each<[string, unknown, string]>([
    ['name', undefined, `name: missing; allowed ${label}`],
    ['name', 'Catalog', `name: wrong value; received "Catalog"; allowed ${label}`],
    [
      'name',
      'catalogue',
      'name: differs from the name of its folder; received "catalogue"; allowed catalog; fix: write catalog, or rename the folder',
    ],
    [
      'services',
      'all',
      'services: wrong value; received "all"; allowed a list of fully qualified proto services',
    ],
    [
      'services',
      [7],
      'services[0]: wrong value; received 7; allowed the fully qualified name of a proto service',
    ],
    [
      'services',
      ['test.catalog.v1.CatalogService', 'test.catalog.v1.CatalogService'],
      'services[1]: listed twice; received "test.catalog.v1.CatalogService"; fix: remove one',
    ],
    [
      'services',
      undefined,
      'httpGateway: the HTTP gateway needs a gRPC service, and the app lists none; received true; fix: list the services, or remove httpGateway',
    ],
    ['ports', undefined, 'ports: missing; allowed a mapping with the keys grpc, http'],
    ['ports', 50051, 'ports: wrong value; received 50051; allowed a mapping with the keys grpc, http'],
    [
      'ports.grpc',
      undefined,
      'ports.grpc: missing, but the app has gRPC services to serve; fix: add ports.grpc, usually 50051',
    ],
    ['ports.grpc', 80, `ports.grpc: wrong value; received 80; allowed ${port}`],
    ['ports.grpc', '50051', `ports.grpc: wrong value; received "50051"; allowed ${port}`],
    ['ports.grpc', 50051.5, `ports.grpc: wrong value; received 50051.5; allowed ${port}`],
    ['ports.http', 15001, `ports.http: wrong value; received 15001; allowed ${port}`],
    ['ports.http', 9464, `ports.http: wrong value; received 9464; allowed ${port}`],
    ['ports.http', 65536, `ports.http: wrong value; received 65536; allowed ${port}`],
    ['ports.http', 50051, 'ports.http: the same as ports.grpc; received 50051; fix: give each its own port'],
    ['ports.htpp', 8080, 'ports.htpp: unknown key; allowed grpc, http; fix: did you mean http?'],
    ['httpGateway', 'yes', 'httpGateway: wrong value; received "yes"; allowed true or false'],
    ['replica', 2, `replica: unknown key; allowed ${topKeys}; fix: did you mean replicas?`],
    ['volumes', {}, `volumes: unknown key; allowed ${topKeys}; fix: remove it`],
  ])('%s = %j', (path, value, message) => {
    expect(problemsWith(path, value)).toEqual([`apps/catalog/config.yml: ${message}`]);
  });

  test('a pod without any port', () => {
    const value = { ...good, services: [], ports: {}, httpGateway: false };
    expect(problemsOf(() => parseAppConfig('apps/catalog', value))).toEqual([
      'apps/catalog/config.yml: ports: no port; fix: add ports.grpc or ports.http',
    ]);
  });

  test('a file that is not an object', () => {
    expect(problemsOf(() => parseAppConfig('apps/catalog', null))).toEqual([
      `apps/catalog/config.yml: wrong value; received null; allowed a mapping with the keys ${topKeys}`,
    ]);
  });

  test('reports everything at once, form and rules', () => {
    const value = { ...good, name: 'shop', replicas: 'two', ports: { grpc: 1 }, volume: [] };
    expect(problemsOf(() => parseAppConfig('apps/catalog', value))).toHaveLength(4);
  });

  test('throws nothing but ProblemsError, whatever the value', () => {
    const anyOf = (key: keyof typeof good) => fc.oneof(fc.constant<unknown>(good[key]), fc.anything());
    const nearlyGood = fc.record(
      Object.fromEntries(Object.keys(good).map((key) => [key, anyOf(key as keyof typeof good)])),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything({ withNullPrototype: true }), nearlyGood), (value) => {
        problemsOf(() => parseAppConfig('apps/catalog', value));
      }),
      { numRuns: 500 },
    );
  });
});

describe('loadAppConfig', () => {
  let root = '';
  const write = (name: string, text: string) => {
    mkdirSync(join(root, 'apps', name), { recursive: true });
    writeFileSync(join(root, 'apps', name, 'config.yml'), text);
  };
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'app-config-'));
    write('catalog', stringify(good));
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  test('reads a file', () => {
    expect(loadAppConfig(root, 'apps/catalog').ports).toEqual({ grpc: 50051, http: 8080 });
  });

  test('suggests the nearest folder for a missing one', () => {
    expect(problemsOf(() => loadAppConfig(root, 'apps/catalgo'))).toEqual([
      'apps/catalgo/config.yml: no such file; allowed apps/catalog; fix: did you mean apps/catalog?',
    ]);
  });

  test('names line and column of a syntax error', () => {
    write('broken', 'name: broken\nports: {grpc: 50051\nreplicas: 1\n');
    const [first] = problemsOf(() => loadAppConfig(root, 'apps/broken'));
    expect(first).toBe(
      'apps/broken/config.yml:3:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }',
    );
  });

  test('refuses a key given twice, an unknown tag and an alias without its anchor', () => {
    write('twice', 'name: twice\nname: twice\n');
    expect(problemsOf(() => loadAppConfig(root, 'apps/twice'))).toEqual([
      'apps/twice/config.yml:2:1: not valid YAML: Map keys must be unique',
    ]);
    write('tagged', 'name: !env tagged\n');
    expect(problemsOf(() => loadAppConfig(root, 'apps/tagged'))).toEqual([
      'apps/tagged/config.yml:1:7: not valid YAML: Unresolved tag: !env',
    ]);
    write('aliased', 'name: *who\n');
    expect(problemsOf(() => loadAppConfig(root, 'apps/aliased'))).toEqual([
      'apps/aliased/config.yml: not valid YAML: Unresolved alias (the anchor must be set before the alias): who',
    ]);
  });

  test('throws nothing but ProblemsError, whatever the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.jsonValue().map((value) => stringify(value)),
      fc.json(),
    );
    fc.assert(
      fc.property(text, (content) => {
        write('any', content);
        problemsOf(() => loadAppConfig(root, 'apps/any'));
      }),
      { numRuns: 200 },
    );
  });

  test('all files: problems of every one', () => {
    rmSync(join(root, 'apps'), { recursive: true });
    write('catalog', stringify({ ...good, replicas: -1 }));
    write('cart', stringify({ ...good, replicas: -2 }));
    expect(problemsOf(() => loadAppConfigs(root))).toEqual([
      'apps/cart/config.yml: replicas: wrong value; received -2; allowed a whole number from 0 to 1000',
      'apps/cart/config.yml: name: differs from the name of its folder; received "catalog"; allowed cart; fix: write cart, or rename the folder',
      'apps/catalog/config.yml: replicas: wrong value; received -1; allowed a whole number from 0 to 1000',
    ]);
  });
});

test("the project's own apps are right", () => {
  const configs = loadAppConfigs(join(import.meta.dirname, '../..'));
  expect(configs.map(({ name }) => name)).toContain('gateway');
});

describe('docs/constructs.md', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/constructs.md'), 'utf8');
  const section = docs.split('\n## config.yml\n')[1]?.split('\n## ')[0] ?? '';

  test('shows a config that is right, with every key', () => {
    const example: unknown = parse(/```yaml\n(.*?)```/s.exec(section)?.[1] ?? '');
    expect(Object.keys(parseAppConfig('apps/catalog', example)).sort()).toEqual(
      ['directory', ...Object.keys(good)].sort(),
    );
  });

  test('says what each key means', () => {
    const keys = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => key);
    expect(keys).toEqual(topKeys.split(', '));
  });
});
