import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { ProblemsError } from '../../core/problem.ts';
import { loadAppConfig, loadAppConfigs, parseAppConfig } from './app-config.ts';
import { services } from './services.ts';

const good = {
  name: 'catalog',
  services: ['shop.catalog.v1.CatalogService'],
  ports: { grpc: 50051, http: 8080 },
  image: {
    version: '1.4.0',
    title: 'shop catalog',
    description: 'Products and prices',
    nodeOptions: ['--max-semi-space-size=4', '--enable-source-maps'],
  },
  resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '1', memory: '256Mi' } },
  replicas: 2,
  autoscaling: { maxReplicas: 10, cpuPercent: 60 },
  shutdown: { drainSeconds: 40, graceSeconds: 60 },
  env: {
    GREETING: 'hello',
    TOKEN: { secret: 'payments.tokens', key: 'api_token' },
    MODE: { configMap: 'settings', key: 'mode.txt' },
  },
  httpGateway: true,
};

function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ProblemsError) {
      expect(error.exitCode).toBe(2);
      return error.message.split('\n');
    }
    throw error;
  }
  return [];
}

/** The good config with one key replaced, or removed by undefined. */
function withKey(path: string, value: unknown): unknown {
  const copy = structuredClone(good) as unknown;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((found, key) => (found as Record<string, unknown>)[key], copy) as Record<
    string,
    unknown
  >;
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return copy;
}

const topKeys = 'name, services, ports, image, resources, replicas, autoscaling, shutdown, env, httpGateway';
const envValue =
  'text (put numbers and booleans in quotes), { secret: NAME, key: KEY }, { configMap: NAME, key: KEY } or { value: TEXT, notSecret: REASON }';
const subdomain =
  'a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit';
const objectKey = '1 to 253 letters, digits, hyphens, underscores and dots';
const label = 'a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';
const port =
  'a port from 1024 to 65535, except 15000 to 15099 (used by Istio), 9464 and 9465 (used for metrics)';
const cpu = 'a Kubernetes quantity as text, at least "1m", such as "250m"';
const memory = 'a Kubernetes quantity as text, at least "16Mi", such as "128Mi"';
const version = 'a semantic version as text, such as "1.4.0"';
const nodeOption =
  'an option that Node accepts in NODE_OPTIONS, such as --max-semi-space-size=4, which neither opens a debugger, nor loads code, nor weakens TLS or HTTP';
const known = [...services.keys()].join(', ');

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
      ['shop.catalog.v1.CatalogServices'],
      `services[0]: no such proto service; received "shop.catalog.v1.CatalogServices"; allowed ${known}; fix: did you mean shop.catalog.v1.CatalogService?`,
    ],
    [
      'services',
      ['billing.Invoices'],
      `services[0]: no such proto service; received "billing.Invoices"; allowed ${known}; fix: add it to proto/ and apps/config/services.ts`,
    ],
    [
      'services',
      ['shop.catalog.v1.CatalogService', 'shop.catalog.v1.CatalogService'],
      'services[1]: listed twice; received "shop.catalog.v1.CatalogService"; fix: remove one',
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
    [
      'image',
      undefined,
      'image: missing; allowed a mapping with the keys version, title, description, nodeOptions',
    ],
    ['image.version', undefined, `image.version: missing; allowed ${version}`],
    ['image.version', 1.4, `image.version: wrong value; received 1.4; allowed ${version}`],
    ['image.version', 'latest', `image.version: wrong value; received "latest"; allowed ${version}`],
    ['image.title', '', 'image.title: wrong value; received ""; allowed one line of 1 to 80 characters'],
    [
      'image.description',
      'a\nb',
      'image.description: wrong value; received "a\\nb"; allowed one line of 1 to 300 characters',
    ],
    ...[
      '--max-semi-space-sizes=4',
      '--max-semi-space-size 4',
      'max-semi-space-size=4',
      '--eval=0',
      '/app/other.js',
      // D15
      '--inspect=0.0.0.0:9229',
      '--inspect-brk',
      '--require=/tmp/a.cjs',
      '--import=/tmp/a.js',
      '--insecure-http-parser',
      '--tls-min-v1.0',
      7,
    ].map((option): [string, unknown, string] => [
      'image.nodeOptions',
      ['--enable-source-maps', option],
      `image.nodeOptions[1]: wrong value; received ${JSON.stringify(option)}; allowed ${nodeOption}`,
    ]),
    [
      'image.nodeOptions',
      '--max-semi-space-size=4',
      'image.nodeOptions: wrong value; received "--max-semi-space-size=4"; allowed a list of options',
    ],
    ['resources', undefined, 'resources: missing; allowed a mapping with the keys requests, limits'],
    [
      'resources.requests',
      undefined,
      'resources.requests: missing; allowed a mapping with the keys cpu, memory',
    ],
    ['resources.requests.cpu', undefined, `resources.requests.cpu: missing; allowed ${cpu}`],
    ['resources.requests.cpu', 1, `resources.requests.cpu: wrong value; received 1; allowed ${cpu}`],
    [
      'resources.requests.cpu',
      '2',
      'resources.requests.cpu: more than resources.limits.cpu; received "2"; allowed at most 1; fix: lower the request or raise the limit',
    ],
    [
      'resources.requests.memory',
      '128m',
      `resources.requests.memory: wrong value; received "128m"; allowed ${memory}`,
    ],
    [
      'resources.requests.memory',
      '1Gi',
      'resources.requests.memory: more than resources.limits.memory; received "1Gi"; allowed at most 256Mi; fix: lower the request or raise the limit',
    ],
    ['resources.limits', undefined, 'resources.limits: missing; allowed a mapping with the keys cpu, memory'],
    ['resources.limits.cpu', 'half', `resources.limits.cpu: wrong value; received "half"; allowed ${cpu}`],
    ['resources.limits.memory', undefined, `resources.limits.memory: missing; allowed ${memory}`],
    ['replicas', undefined, 'replicas: missing; allowed a whole number from 0 to 1000'],
    ['replicas', -1, 'replicas: wrong value; received -1; allowed a whole number from 0 to 1000'],
    ['replicas', 1.5, 'replicas: wrong value; received 1.5; allowed a whole number from 0 to 1000'],
    ['replicas', 1001, 'replicas: wrong value; received 1001; allowed a whole number from 0 to 1000'],
    [
      'replicas',
      0,
      'replicas: an autoscaler cannot scale up from 0 pods; received 0; allowed 1 or more with autoscaling; fix: raise replicas, or remove autoscaling',
    ],
    [
      'autoscaling',
      5,
      'autoscaling: wrong value; received 5; allowed a mapping with the keys maxReplicas, cpuPercent',
    ],
    [
      'autoscaling.maxReplicas',
      undefined,
      'autoscaling.maxReplicas: missing; allowed a whole number from 2 to 1000',
    ],
    [
      'autoscaling.maxReplicas',
      2,
      'autoscaling.maxReplicas: not more than replicas, the minimum number of pods; received 2; allowed more than 2; fix: raise maxReplicas, or remove autoscaling',
    ],
    [
      'autoscaling.cpuPercent',
      '70%',
      'autoscaling.cpuPercent: wrong value; received "70%"; allowed a whole number from 1 to 1000',
    ],
    [
      'shutdown.drainSeconds',
      0,
      'shutdown.drainSeconds: wrong value; received 0; allowed a whole number from 1 to 600',
    ],
    [
      'shutdown.drainSeconds',
      51,
      'shutdown.graceSeconds: the pod would be killed before its calls end: 10 s until callers stop sending calls, 51 s of drainSeconds, 5 s for the proxy; received 60; allowed at least 66; fix: raise graceSeconds or lower drainSeconds',
    ],
    [
      'shutdown.graceSeconds',
      undefined,
      'shutdown.graceSeconds: the pod would be killed before its calls end: 10 s until callers stop sending calls, 40 s of drainSeconds, 5 s for the proxy; received 30; allowed at least 55; fix: raise graceSeconds or lower drainSeconds',
    ],
    [
      'env',
      ['A=b'],
      'env: wrong value of type list; allowed a mapping from variable names to text, or to a key of a Secret or ConfigMap',
    ],
    ['env.TOKEN', 1234, `env.TOKEN: wrong value of type number; allowed ${envValue}`],
    ['env.TOKEN', { secret: 'tokens' }, `env.TOKEN: wrong value of type mapping; allowed ${envValue}`],
    [
      'env.TOKEN',
      { secret: 'tokens', configMap: 'settings', key: 'a' },
      `env.TOKEN: wrong value of type mapping; allowed ${envValue}`,
    ],
    [
      'env.TOKEN',
      { value: 'x', notSecret: '' },
      'env.TOKEN.notSecret: wrong value of type string; allowed why it is not a secret: one line of 1 to 300 characters',
    ],
    [
      'env.TOKEN',
      { secret: 'API_Tokens', key: 'a' },
      `env.TOKEN.secret: not a valid name for a Secret; allowed ${subdomain}`,
    ],
    [
      'env.TOKEN',
      { configMap: '-settings', key: 'a' },
      `env.TOKEN.configMap: not a valid name for a ConfigMap; allowed ${subdomain}`,
    ],
    [
      'env.TOKEN',
      { secret: 'tokens', key: 'a/b' },
      `env.TOKEN.key: not a valid key of a Secret or ConfigMap; allowed ${objectKey}`,
    ],
    [
      'env.DRAIN_LIMIT_MS',
      '1000',
      'env.DRAIN_LIMIT_MS: reserved: the charts set this variable for every container; fix: remove it, and set shutdown.drainSeconds',
    ],
    [
      'env.2ND',
      'x',
      'env.2ND: not a valid name for an environment variable; received "2ND"; allowed letters, digits and underscores, not starting with a digit',
    ],
    ...(
      [
        ['LD_PRELOAD', 'loads code into the program, or changes how it is loaded'],
        ['NODE_OPTIONS', 'gives Node options or code beside its image'],
        ['NODE_TLS_REJECT_UNAUTHORIZED', 'weakens TLS'],
      ] as const
    ).map(([name, what]): [string, unknown, string] => [
      `env.${name}`,
      '0',
      `env.${name}: ${what}; fix: remove it`,
    ]),
    [
      'env.LATER',
      'https://$(HOTS)/$(POD_NAME)',
      'env.LATER: uses a variable that is not set before it; received "$(HOTS)"; allowed GREETING, TOKEN, MODE, CLUSTER_NAME, ' +
        'POD_NAME, POD_NAMESPACE, METRICS_PORT, SERVICE_VERSION; fix: set it before, or write $$(HOTS) for the text itself',
    ],
    [
      'env.METRICS_PORT',
      '9100',
      'env.METRICS_PORT: reserved: the charts set this variable for every container; fix: remove it',
    ],
    [
      'env.SERVICE_VERSION',
      '1',
      'env.SERVICE_VERSION: reserved: the charts set this variable for every container; fix: remove it',
    ],
    [
      'env.POD_NAME',
      'x',
      'env.POD_NAME: reserved: the charts set this variable for every container; fix: remove it',
    ],
    ['httpGateway', 'yes', 'httpGateway: wrong value; received "yes"; allowed true or false'],
    ['replica', 2, `replica: unknown key; allowed ${topKeys}; fix: did you mean replicas?`],
    ['volumes', {}, `volumes: unknown key; allowed ${topKeys}; fix: remove it`],
  ])('%s = %j', (path, value, message) => {
    const problems = problemsOf(() => parseAppConfig('apps/catalog', withKey(path, value)));
    expect(problems).toEqual([`apps/catalog/config.yml: ${message}`]);
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
  const names = configs.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['catalog', 'gateway', 'inventory', 'orders']));
  const served = new Set(configs.flatMap((config) => config.services));
  expect([...served].sort()).toEqual([...services.keys()].sort());
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
