import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { loadAppConfig, loadAppConfigs, loadConfig, loadConfigs, parseForeignProps } from './app-config.ts';
import { problemsOf } from './testing/config.ts';

const said = { name: 'cart', services: ['shop.cart.v1.CartService'] };
const least = { image: 'registry.example/cart:1.4.0', port: 7070 };
const parsed = (value: object) => parseForeignProps('demo/shop/cart', said, value);
const problemsWith = (change: object) => problemsOf(() => parsed({ ...least, ...change }));
const port = 'a port from 1024 to 65535, except 15000 to 15099 (used by Istio), 9465 (used for metrics)';
const image = 'NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved';
const probe =
  "'none', { grpc: { service? } }, { tcp: { port? } }, { http: { path, port } } or { exec: [PROGRAM, ...] }";

test('an image and a port are enough', () => {
  const asked = { grpc: {} };
  expect(parsed(least)).toEqual({
    ...said,
    ports: { grpc: 7070 },
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    replicas: 1,
    shutdown: { drainSeconds: 15, graceSeconds: 30 },
    env: {},
    httpGateway: false,
    foreign: {
      reference: 'registry.example/cart:1.4.0',
      pullSecrets: [],
      servicePort: 7070,
      probes: { startup: asked, readiness: asked, liveness: asked },
    },
  });
});

test('all that can be said is kept', () => {
  const whole = {
    image: 'cart:1.4.0',
    imagePullSecrets: ['registry-key'],
    ports: { grpc: 7070, http: 8081 },
    servicePort: 80,
    resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '2Gi' } },
    replicas: 2,
    autoscaling: { maxReplicas: 5 },
    shutdown: { drainSeconds: 30, graceSeconds: 60 },
    env: {
      PORT: '7070',
      URL: 'http://127.0.0.1:$(PORT)',
      GRPC_PORT: '7070',
      TOKEN: { secret: 'tokens', key: 'api' },
    },
    command: ['/server'],
    args: ['--verbose'],
    probes: {
      startup: { exec: ['/probe'] },
      liveness: 'none',
      readiness: { http: { path: '/ok', port: 81 } },
    },
    user: 1000,
    metrics: { port: 9464 },
    httpGateway: true,
  } as const;
  const { ports, resources, replicas, shutdown, env } = whole;
  expect(parsed(whole)).toEqual({
    ...{ ...said, ports, resources, replicas, shutdown, env },
    autoscaling: { maxReplicas: 5, cpuPercent: 70 },
    httpGateway: true,
    foreign: {
      reference: 'cart:1.4.0',
      pullSecrets: ['registry-key'],
      servicePort: 80,
      command: ['/server'],
      args: ['--verbose'],
      probes: whole.probes,
      user: 1000,
      metrics: { port: 9464, path: '/metrics' },
    },
  });
});

describe('what is wrong is told with all that would be right', () => {
  test.each<[string, object, readonly string[]]>([
    ['no image', { image: 7 }, [`image: wrong value; received 7; allowed ${image}`]],
    [
      'a moving tag',
      { image: 'cart:1.4' },
      [`image: the tag 1.4 may be moved to another image; received "cart:1.4"; allowed ${image}`],
    ],
    ['no port', { port: undefined }, ['port: missing; allowed the port on which its gRPC server listens']],
    ['a low port', { port: 80 }, [`port: wrong value; received 80; allowed ${port}`]],
    [
      'two ports',
      { ports: { grpc: 7070 } },
      ['port: cannot be combined with ports, which has the same; received 7070; fix: keep one'],
    ],
    [
      'no gRPC port',
      { port: undefined, ports: {} },
      [
        'ports.grpc: missing, but the container has gRPC services to serve; fix: add the port on which its gRPC server listens',
      ],
    ],
    [
      'the port of a gateway that is not there',
      { port: undefined, ports: { grpc: 7070, http: 8080 } },
      [
        'ports.http: is the port of the HTTP gateway, which is not asked for; received 8080; fix: remove it, or add httpGateway: true',
      ],
    ],
    [
      'one port for two',
      { port: undefined, ports: { grpc: 7070, http: 7070 }, httpGateway: true },
      ['ports.http: the same as ports.grpc; received 7070; fix: give each its own port'],
    ],
    [
      'a port of Istio',
      { servicePort: 15_021 },
      [
        'servicePort: wrong value; received 15021; allowed a port from 1 to 65535, except 15000 to 15099 (used by Istio)',
      ],
    ],
    [
      'users that must not be',
      { user: 0 },
      [
        'user: wrong value; received 0; allowed the number of a user, from 1 to 2147483647, except 1337 (used by Istio)',
      ],
    ],
    [
      'the user of the proxy, whose traffic goes past it',
      { user: 1337 },
      [
        'user: wrong value; received 1337; allowed the number of a user, from 1 to 2147483647, except 1337 (used by Istio)',
      ],
    ],
    [
      'a word that is no probe',
      { probes: 'never' },
      [`probes: wrong value; received "never"; allowed ${probe}`],
    ],
    [
      'two probes in one',
      { probes: { grpc: {}, exec: ['/probe'] } },
      [`probes: wrong value; received {"grpc":{},"exec":["/probe"]}; allowed ${probe}`],
    ],
    [
      'a misspelt probe',
      { probes: { grcp: {} } },
      ['probes.grcp: unknown key; allowed grpc, tcp, http, exec; fix: did you mean grpc?'],
    ],
    [
      'misspelt stages, and what is wrong in others',
      {
        probes: {
          readines: 'none',
          liveness: { http: { path: 'ok', port: 0 } },
          startup: { grpc: { servcie: 'a' } },
        },
      },
      [
        'probes.startup.grpc.servcie: unknown key; allowed service; fix: did you mean service?',
        'probes.liveness.http.path: wrong value; received "ok"; allowed a path that begins with /',
        'probes.liveness.http.port: wrong value; received 0; allowed a whole number from 1 to 65535',
        'probes.readines: unknown key; allowed startup, readiness, liveness; fix: did you mean readiness?',
      ],
    ],
    [
      'no command',
      { command: [], args: [7] },
      [
        'command: wrong value; received []; allowed a list of a program and its arguments',
        'args[0]: wrong value; received 7; allowed text (put numbers and booleans in quotes)',
      ],
    ],
    [
      'metrics',
      { metrics: { port: 9465, path: 'metrics' } },
      [
        `metrics.port: wrong value; received 9465; allowed ${port}`,
        'metrics.path: wrong value; received "metrics"; allowed a path that begins with /',
      ],
    ],
    [
      'pull secrets',
      { imagePullSecrets: ['Key'] },
      [
        'imagePullSecrets[0]: wrong value; received "Key"; allowed the name of a Secret: a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit',
      ],
    ],
    [
      'a variable that the charts set for apps of theirs only',
      { env: { WHO: '$(POD_NAME)', NODE_OPTIONS: '--inspect' } },
      [
        'env.WHO: uses a variable that is not set before it; received "$(POD_NAME)"; allowed none; fix: set it before, or write $$(POD_NAME) for the text itself',
        'env.NODE_OPTIONS: gives Node options or code beside its image; fix: remove it',
      ],
    ],
    [
      'a pod that is killed before its calls end',
      { shutdown: { graceSeconds: 20 } },
      [
        'shutdown.graceSeconds: the pod would be killed before its calls end: 10 s until callers stop sending calls, 15 s of drainSeconds, 5 s for the proxy; received 20; allowed at least 30; fix: raise graceSeconds or lower drainSeconds',
      ],
    ],
  ])('%s', (_, change, expected) => {
    expect(problemsWith(change)).toEqual(expected.map((line) => `demo/shop/cart: ${line}`));
  });

  test('the name of a container that others have in the pod', () => {
    expect(
      problemsOf(() => parseForeignProps('demo/shop/istio-proxy', { ...said, name: 'istio-proxy' }, least)),
    ).toEqual([
      'demo/shop/istio-proxy: is the name of a container that Istio or the HTTP gateway has in the same pod; ' +
        'received "istio-proxy"; allowed a name other than istio-proxy, istio-init, istio-validation, enable-core-dump, http-gateway; ' +
        'fix: rename the service',
    ]);
  });
});

/** Runs with a project whose folder apps/cart has this config.yml. */
function withCart<T>(config: object, act: (root: string) => T, { main = false, app = 'cart' } = {}): T {
  const root = mkdtempSync(join(tmpdir(), 'meshwright-foreign-'));
  try {
    mkdirSync(join(root, 'apps', app), { recursive: true });
    writeFileSync(join(root, 'apps', app, 'config.yml'), stringify(config));
    if (main) writeFileSync(join(root, 'apps', app, 'main.ts'), '');
    return act(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('a config.yml that names an image', () => {
  const file = { ...said, ...least };

  test('says the same as code does, and is none of the apps that are built', () => {
    withCart(file, (root) => {
      expect(loadConfig(root, 'apps/cart')).toEqual(parsed(least));
      expect(loadConfigs(root)).toEqual([{ directory: 'apps/cart', config: parsed(least) }]);
      expect(loadAppConfigs(root)).toEqual([]);
    });
  });

  test('is refused where an app is to be built', () => {
    withCart(file, (root) => {
      expect(problemsOf(() => loadAppConfig(root, 'apps/cart'))).toEqual([
        'apps/cart/config.yml: image: is the reference of an image, and this app is built from its folder; ' +
          'received "registry.example/cart:1.4.0"; allowed a mapping with the keys version, title, description, nodeOptions',
      ]);
    });
    withCart(
      file,
      (root) => {
        expect(problemsOf(() => loadConfigs(root))).toEqual([
          'apps/cart/config.yml: image: is the reference of an image, so that nothing would build the main.ts beside it; ' +
            'received "registry.example/cart:1.4.0"; fix: remove main.ts, or write image: { version, title, description }',
        ]);
      },
      { main: true },
    );
    withCart(
      { ...file, name: 'gateway' },
      (root) => {
        expect(problemsOf(() => loadConfig(root, 'apps/gateway'))).toEqual([
          'apps/gateway/config.yml: image: is the reference of an image, and the HTTP gateway is built from its folder; ' +
            'received "registry.example/cart:1.4.0"; allowed a mapping with the keys version, title, description, nodeOptions',
        ]);
      },
      { app: 'gateway' },
    );
  });

  test('tells what is wrong with its keys', () => {
    withCart({ ...file, name: 'Cart', replicsa: 2, port: 7 }, (root) => {
      expect(problemsOf(() => loadConfig(root, 'apps/cart'))).toEqual([
        'apps/cart/config.yml: name: wrong value; received "Cart"; allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end',
        `apps/cart/config.yml: port: wrong value; received 7; allowed ${port}`,
        'apps/cart/config.yml: replicsa: unknown key; allowed name, services, image, imagePullSecrets, port, ports, servicePort, ' +
          'resources, replicas, autoscaling, shutdown, env, httpGateway, command, args, probes, user, metrics, pod; fix: did you mean replicas?',
      ]);
    });
  });
});
