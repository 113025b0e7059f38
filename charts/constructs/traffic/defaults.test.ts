import { describe, expect, test } from '@jest/globals';
import { InventoryService } from '../../../gen/test/inventory/v1/inventory_pb.js';
import { Mesh } from '../mesh.ts';
import type { TrafficDefaults } from '../scope/traffic-defaults.ts';
import { synthesize } from '../../synth.ts';
import { lab } from '../../platforms.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, clusters, objectOf, objectsOf, problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import type { TrafficPolicyProps } from './props.ts';
import { TrafficPolicy } from './traffic-policy.ts';

/** The catalog and the inventory of one namespace, with what the mesh and the namespace say, and a policy of the catalog. */
function shopWith(root: string, ofMesh?: TrafficDefaults, ofNamespace?: TrafficDefaults) {
  const mesh = new Mesh('demo', {
    ...{ root, trustDomain: 'demo.example', clusters, platform: lab },
    ...(ofMesh === undefined ? {} : { traffic: ofMesh }),
  });
  const shop = mesh.namespace('shop', ofNamespace === undefined ? {} : { traffic: ofNamespace });
  const catalog = catalogIn(shop);
  const inventory = new GrpcService(shop, 'inventory', { app: 'apps/inventory', service: InventoryService });
  return { mesh, shop, catalog, inventory };
}

interface Http {
  readonly name: string;
  readonly timeout?: string;
  readonly retries?: object;
  readonly fault?: object;
}

describe('what a mesh or a namespace says of all calls', () => {
  const routes = (mesh: Mesh<'east' | 'west'>, name: string) => {
    const spec = objectOf(synthesize(mesh), 'west', 'VirtualService', name)?.['spec'];
    const { http } = spec as { readonly http: readonly Http[] };
    return http.map(({ name: route, timeout, retries, fault }) => ({ route, timeout, retries, fault }));
  };
  const tried = (attempts: number) => ({
    attempts,
    retryOn: 'connect-failure,refused-stream,reset,unavailable',
  });

  test('is said of each unary method, retries only where its proto lets it be repeated, and never of streams', () => {
    withProject({}, (root) => {
      const { mesh } = shopWith(root, { timeoutMs: 5000, retries: { attempts: 2 } });
      expect(routes(mesh, 'inventory')).toEqual([
        { route: 'getStock', timeout: '5s', retries: tried(2), fault: undefined },
        { route: 'reserve', timeout: '5s', retries: tried(2), fault: undefined },
        { route: 'streams', timeout: undefined, retries: { attempts: 0 }, fault: undefined },
        { route: 'default', timeout: undefined, retries: undefined, fault: undefined },
      ]);
      expectGolden(
        import.meta.url,
        'defaults',
        objectsOf(synthesize(mesh), 'west').filter(
          ({ kind, metadata }) => kind === 'VirtualService' && metadata.name === 'inventory',
        ),
      );
    });
  });

  test('gives way to the namespace, and that to the policy of a service, key by key', () => {
    withProject({}, (root) => {
      const { mesh, catalog } = shopWith(
        root,
        {
          timeoutMs: 5000,
          retries: { attempts: 2 },
          outliers: { consecutiveErrors: 9, ejectionSeconds: 60 },
        },
        { timeoutMs: 800, outliers: { ejectionSeconds: 20 } },
      );
      const props: TrafficPolicyProps<'east' | 'west', 'v1'> = {
        rules: [{ method: catalog.method.getProduct, timeoutMs: 300 }],
        outliers: { intervalSeconds: 4 },
      };
      new TrafficPolicy(catalog, 'traffic', props);
      const [getProduct, listProducts] = routes(mesh, 'catalog');
      expect(getProduct).toMatchObject({ route: 'getProduct', timeout: '0.3s', retries: tried(2) });
      expect(listProducts).toMatchObject({ route: 'listProducts', timeout: '0.8s', retries: tried(2) });
      const outliersOf = (name: string) =>
        objectOf(synthesize(mesh), 'east', 'DestinationRule', name)?.['spec'] as object;
      expect(outliersOf('catalog')).toMatchObject({
        trafficPolicy: {
          outlierDetection: { consecutiveGatewayErrors: 9, interval: '4s', baseEjectionTime: '20s' },
        },
      });
      expect(outliersOf('inventory')).toMatchObject({
        trafficPolicy: {
          outlierDetection: { consecutiveGatewayErrors: 9, interval: '10s', baseEjectionTime: '20s' },
        },
      });
    });
  });

  test('holds where the namespace says a key without a value, as plain JavaScript may', () => {
    withProject({}, (root) => {
      const nothing = { timeoutMs: undefined, retries: undefined, outliers: { ejectionSeconds: undefined } };
      const { mesh } = shopWith(
        root,
        { timeoutMs: 5000, retries: { attempts: 2 }, outliers: { ejectionSeconds: 60 } },
        nothing as unknown as TrafficDefaults,
      );
      expect(routes(mesh, 'inventory')[0]).toMatchObject({ timeout: '5s', retries: tried(2) });
      expect(objectOf(synthesize(mesh), 'east', 'DestinationRule', 'inventory')?.['spec']).toMatchObject({
        trafficPolicy: { outlierDetection: { baseEjectionTime: '60s' } },
      });
    });
  });

  test('makes no retries of calls into which a policy injects a fault', () => {
    withProject({}, (root) => {
      const { mesh, catalog } = shopWith(root, { retries: { attempts: 2 } });
      const { getProduct } = catalog.method;
      new TrafficPolicy(catalog, 'traffic', {
        rules: [{ method: getProduct, fault: { status: 'UNAVAILABLE', percent: 1 } }],
      });
      expect(routes(mesh, 'catalog')[0]).toMatchObject({ route: 'getProduct', retries: undefined });
    });
  });

  test('and nothing of it leaves everything as it is', () => {
    withProject({}, (root) => {
      expect(synthesize(shopWith(root, {}, {}).mesh)).toEqual(synthesize(shopWith(root).mesh));
    });
  });

  test('that cannot be is refused where it is said', () => {
    withProject({}, (root) => {
      const wrong = {
        timeoutMs: 0,
        retries: { attempts: 11 },
        outliers: { consecutiveErrors: 0 },
        timeout: 5,
      };
      const { mesh } = shopWith(root, wrong, { timeoutMs: '5s' } as unknown as TrafficDefaults);
      expect(problemsOf(mesh)).toEqual([
        'demo: traffic.timeout: unknown key; received "timeout"; allowed timeoutMs, retries, outliers; fix: did you mean timeoutMs?',
        'demo: traffic.timeoutMs: is not a valid number; received 0; allowed a whole number from 1 to 3600000',
        'demo: traffic.retries.attempts: is not a valid number; received 11; allowed a whole number from 1 to 10',
        'demo: traffic.outliers.consecutiveErrors: is not a valid number; received 0; allowed a whole number from 1 to 1000',
        'demo/shop: traffic.timeoutMs: is not a valid number; received "5s"; allowed a whole number from 1 to 3600000',
      ]);
    });
  });

  test.each<[TrafficDefaults, TrafficDefaults, string]>([
    [
      { retries: { attempts: 2, perTryTimeoutMs: 500 } },
      { timeoutMs: 400 },
      'timeoutMs: leaves no time for a second attempt, because of what the mesh says of the other; received 400; allowed more than 500',
    ],
    [
      { timeoutMs: 400 },
      { retries: { attempts: 2, perTryTimeoutMs: 500 } },
      'retries.perTryTimeoutMs: leaves no time for a second attempt, because of what the mesh says of the other; received 500; allowed less than 400',
    ],
  ])(
    'of which a namespace and the mesh say what does not go together is refused: %j, %j',
    (one, other, problem) => {
      withProject({}, (root) => {
        expect(problemsOf(shopWith(root, one, other).mesh)).toEqual([`demo/shop: traffic.${problem}`]);
      });
    },
  );
});
