import { describe, expect, test } from '@jest/globals';
import type { AppConfig } from '../../../apps/config/app-config.ts';
import { synthesize } from '../../synth.ts';
import { objectOf, objectsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import type { Platform } from '../scope/platform.ts';
import { lab } from '../../platforms.ts';
import { HttpEdge } from '../edge/http-edge.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { unsettledPath } from './edge-proxy.ts';
import { capacityOf } from './overload.ts';

const withLimit = (memory: string): Platform => ({
  ...lab,
  gateway: { ...lab.gateway, limits: { ...lab.gateway.limits, memory } },
});

const gateways = [
  ['istio-ingress', 'istio-ingressgateway'],
  ['istio-eastwest', 'istio-eastwestgateway'],
] as const;

describe.each(gateways)('the gateway in %s', (namespace, name) => {
  /** What its pods start with, of a platform with this limit of memory. */
  function started(memory: string) {
    const rendered = synthesize(twoClusters('.', withLimit(memory)));
    const deployment = objectOf(rendered, 'east', 'Deployment', name) as unknown as {
      spec: { template: { metadata: { annotations: Record<string, string> } } };
    };
    const { annotations } = deployment.spec.template.metadata;
    const named = annotations['sidecar.istio.io/bootstrapOverride'];
    const configMap = objectsOf(rendered, 'east', namespace).find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === named,
    ) as unknown as { data: { 'custom_bootstrap.json': string } };
    const bootstrap: unknown = JSON.parse(configMap.data['custom_bootstrap.json']);
    return { annotations, bootstrap };
  }

  test('sheds load before its container’s memory is full, and has room for what Envoy does not count', () => {
    for (const memory of ['128Mi', '512Mi', '1Gi', '2G']) {
      const { heapBytes, connections } = capacityOf(memory);
      const { annotations, bootstrap } = started(memory);
      expect(bootstrap).toMatchObject({
        overload_manager: {
          resource_monitors: [{ typed_config: { max_heap_size_bytes: heapBytes } }],
          actions: expect.arrayContaining([
            expect.objectContaining({ name: 'envoy.overload_actions.stop_accepting_requests' }),
          ]),
        },
      });
      expect(JSON.parse(annotations['proxy.istio.io/config'] ?? '')).toMatchObject({
        proxyMetadata: { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: String(connections) },
      });
    }
    expect(capacityOf('1Gi').heapBytes).toBe(Math.floor(0.7 * 2 ** 30));
    expect(capacityOf('1Gi').connections).toBe(11_468);
  });

  test('asks Envoy for no action that goes by a monitor it does not have', () => {
    const { bootstrap } = started('512Mi');
    const { overload_manager: manager } = bootstrap as {
      overload_manager: Record<'actions' | 'loadshed_points', { triggers: { name: string }[] }[]> & {
        resource_monitors: { name: string }[];
      };
    };
    const monitors = manager.resource_monitors.map((each) => each.name);
    const triggers = [...manager.actions, ...manager.loadshed_points].flatMap((each) => each.triggers);
    // The Deployment says so, to be let pass by the rule about pods that go past their proxy.
    expect(Object.keys(bootstrap as object)).toEqual(['overload_manager']);
    expect(triggers.length).toBeGreaterThan(0);
    expect(triggers.filter((trigger) => !monitors.includes(trigger.name))).toEqual([]);
  });

  test('holds no more of a connection than its number of connections is reckoned by', () => {
    const filters = objectsOf(synthesize(twoClusters('.')), 'east', namespace).filter(
      ({ kind }) => kind === 'EnvoyFilter',
    ) as unknown as {
      spec: { configPatches: { applyTo: string; patch: { value: Record<string, unknown> } }[] };
    }[];
    const limits = filters.flatMap(({ spec }) =>
      spec.configPatches.flatMap(({ applyTo, patch: { value } }) => {
        const bytes = value['per_connection_buffer_limit_bytes'];
        return bytes === undefined ? [] : [{ applyTo, bytes }];
      }),
    );
    const bytes = 32 * 2 ** 10;
    expect(limits).toEqual([
      { applyTo: 'LISTENER', bytes },
      { applyTo: 'CLUSTER', bytes },
    ]);
  });

  test('starts again when its limits change, which a proxy reads once', () => {
    const checksum = (memory: string) => started(memory).annotations['checksum/bootstrap'];
    expect(checksum('512Mi')).not.toBe(checksum('1Gi'));
    expect(checksum('512Mi')).toBe(checksum('512Mi'));
  });
});

describe('what ingress gateways ask of clients', () => {
  /** What the filter merges into the HTTP connection manager, of a mesh with edges whose gateways have these variables. */
  function managerOf(...environments: readonly AppConfig['env'][]) {
    const apps = environments.map(
      (env, index) => [`gateway${index}`, { ports: { http: 8080 }, env }] as const,
    );
    return withProject(Object.fromEntries(apps), (root) => {
      const mesh = twoClusters(root);
      const shop = mesh.namespace('shop');
      const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
      for (const [app] of apps)
        new HttpEdge(shop, app, { app: `apps/${app}`, hosts: [`${app}.example`], expose: [catalog] });
      const filter = objectOf(synthesize(mesh), 'west', 'EnvoyFilter', 'edge-proxy') as unknown as {
        metadata: { namespace: string };
        spec: {
          workloadSelector: object;
          priority: number;
          configPatches: { applyTo: string; patch: { value: Record<string, object> } }[];
        };
      };
      expect(filter.metadata.namespace).toBe('istio-ingress');
      expect(filter.spec.workloadSelector).toEqual({ labels: { istio: 'ingressgateway' } });
      expect(filter.spec.priority).toBeLessThan(0);
      const [first] = filter.spec.configPatches;
      return first?.patch.value['typed_config'] as Record<string, unknown>;
    });
  }

  /** How long they let a stream stand still, in seconds. */
  const patience = (...environments: readonly AppConfig['env'][]) =>
    Number(String(managerOf(...environments)['stream_idle_timeout']).replace(/s$/, ''));

  test('is a head in time, few streams at once, and no name that a server may take for another', () => {
    expect(managerOf()).toMatchObject({
      common_http_protocol_options: {
        // Longer than the 600 s of Google's load balancers.
        idle_timeout: '620s',
        headers_with_underscores_action: 'REJECT_REQUEST',
      },
      http2_protocol_options: {
        max_concurrent_streams: 100,
        initial_stream_window_size: 65_536,
        initial_connection_window_size: 1_048_576,
      },
      request_headers_timeout: '10s',
    });
  });

  test('is never that a stream which moves ends: there is no limit to a request or an answer as a whole', () => {
    const manager = managerOf();
    expect(manager).not.toHaveProperty('request_timeout');
    expect(JSON.stringify(manager)).not.toContain('max_stream_duration');
    expect(JSON.stringify(manager)).not.toContain('max_connection_duration');
  });

  test('is more patience with what stands still than any HTTP gateway has, which says why it ends a stream or a call', () => {
    expect(patience({})).toBe(330);
    expect(patience({ STREAM_IDLE_MS: '3600000' })).toBe(3_630);
    // Envoy counts the time in which a unary call waits for its answer as well.
    expect(patience({ STREAM_IDLE_MS: '500', REQUEST_TIMEOUT_MAX_MS: '900000' })).toBe(930);
    expect(patience({ REQUEST_TIMEOUT_MS: '600000', REQUEST_TIMEOUT_MAX_MS: '600000' })).toBe(630);
    expect(patience({ STREAM_IDLE_MS: '900000' }, {}, { REQUEST_TIMEOUT_MAX_MS: '1000000' })).toBe(1_030);
  });

  test('is the patience that an HTTP gateway has by default, also where there is none or a less patient one', () => {
    expect(patience()).toBe(330);
    expect(patience({ STREAM_IDLE_MS: '500' })).toBe(330);
  });

  test('is the patience of a time that is no plain text: its text, or the longest where only the cluster knows it', () => {
    const notSecret = 'a time';
    expect(patience({ STREAM_IDLE_MS: { value: '900000', notSecret } })).toBe(930);
    const day = 86_430;
    expect(patience({ STREAM_IDLE_MS: { configMap: 'times', key: 'idle' } })).toBe(day);
    expect(patience({ STREAM_IDLE_MS: { secret: 'times', key: 'idle' } })).toBe(day);
    expect(patience({ IDLE: '900000', STREAM_IDLE_MS: '$(IDLE)' })).toBe(day);
    expect(patience({ REQUEST_TIMEOUT_MS: { configMap: 'times', key: 'usual' } })).toBe(630);
  });
});

test('a path that the next proxy would take for another one is refused before any policy looks', () => {
  const rendered = synthesize(twoClusters('.'));
  const { spec } = objectOf(rendered, 'east', 'EnvoyFilter', 'edge-proxy') as unknown as {
    spec: { configPatches: { applyTo: string; patch: { operation: string; value: unknown } }[] };
  };
  const filters = spec.configPatches.filter(({ applyTo }) => applyTo === 'HTTP_FILTER');
  expect(filters).toMatchObject([{ patch: { operation: 'INSERT_FIRST' } }]);
  const { rules } = (filters[0]?.patch.value as { typed_config: { rules: { action: string } } }).typed_config;
  expect(rules.action).toBe('DENY');
  const refused = (path: string) => new RegExp(`^(?:${unsettledPath})$`).test(path);
  for (const path of ['/v1/files/..;/orders', '/v1/.;', '/..;a=b'])
    expect([path, refused(path)]).toEqual([path, true]);
  for (const path of ['/v1/files/a..;b', '/v1/p-1;a=b', '/v1/...;', '/v1/;'])
    expect([path, refused(path)]).toEqual([path, false]);
});
