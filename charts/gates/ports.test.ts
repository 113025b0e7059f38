import { describe, expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { istio, problemsWith } from '../testing/custom.ts';

const metadata = { name: 'x', namespace: 'shop' };
const withPort = (port: k8s.ServicePort) =>
  problemsWith((into) => {
    into.add('40-services', k8s.KubeService, metadata, { spec: { ports: [port] } });
  });
const names = 'grpc, grpc-web, http, http2, https, http_proxy, mongo, mysql, redis, tcp, tls';

describe('a port of a Service', () => {
  test('that tells no protocol is refused', () => {
    expect(withPort({ port: 50051, name: 'api-grpc' })).toEqual([
      'demo/custom: Service shop/x: Istio would treat port 50051 as TCP, because its name does not state a known protocol; ' +
        `received "api-grpc"; allowed ${names}; fix: set appProtocol (to tcp for plain TCP)`,
    ]);
    expect(withPort({ port: 50051, name: 'grpc', appProtocol: 'gRPCs' })).toEqual([
      'demo/custom: Service shop/x: Istio would treat port 50051 as TCP, because its appProtocol does not state a known protocol; ' +
        `received "gRPCs"; allowed ${names}; fix: set appProtocol (to tcp for plain TCP)`,
    ]);
  });

  test.each<k8s.ServicePort>([
    // `http_proxy` is no name that Kubernetes lets a port have.
    ...names.split(', ').flatMap((appProtocol) => [
      ...(appProtocol === 'http_proxy'
        ? []
        : ['', '-admin'].map((end) => ({ port: 1, name: appProtocol + end }))),
      ...[appProtocol, appProtocol.toUpperCase()].map((stated) => ({
        ...{ port: 1, name: 'api', appProtocol: stated },
      })),
    ]),
    ...['h2c', 'ws', 'wss'].map((kind) => ({ port: 1, name: 'api', appProtocol: `kubernetes.io/${kind}` })),
    { port: 53, name: 'dns', protocol: 'UDP' },
  ])('that tells it passes: %j', (port) => {
    expect(withPort(port)).toEqual([]);
  });
});

test.each(['kubernetes.io/h2c', 'kubernetes.io/ws', 'kubernetes.io/wss', 'mysqlx', 'udp', ''])(
  'a port of a Service whose name is none of a protocol is refused: %s',
  (stated) => {
    expect(withPort({ port: 1, name: 'grpc', appProtocol: `x${stated}` })).toEqual([
      'demo/custom: Service shop/x: Istio would treat port 1 as TCP, because its appProtocol does not state a known protocol; ' +
        `received "x${stated}"; allowed ${names}; fix: set appProtocol (to tcp for plain TCP)`,
    ]);
  },
);

test.each(names.split(', ').flatMap((name) => [name, name.toUpperCase()]))(
  'Istio knows the protocol of a ServiceEntry: %s',
  (protocol) => {
    const found = problemsWith((into) => {
      const ports = [{ number: 8443, name: 'own', protocol }];
      into.addIstio('40-services', 'demo/custom', 'ServiceEntry', metadata, {
        hosts: ['db.example'],
        ports,
        location: 'MESH_EXTERNAL',
        resolution: 'DNS',
      });
    });
    expect(found).toEqual([]);
  },
);

test('a port of a Gateway has a protocol that Istio knows', () => {
  const found = problemsWith((into) => {
    const servers = [{ port: { number: 80, name: 'http', protocol: 'HTTTP' }, hosts: ['*'] }];
    istio(into, 'Gateway', 'web', { selector: { istio: 'ingressgateway' }, servers });
  });
  expect(found).toEqual([
    'demo/custom: Gateway shop/web: Istio would treat port 80 as TCP, because Istio does not know its protocol; ' +
      `received "HTTTP"; allowed ${names.toUpperCase()}`,
  ]);
});

describe('a headless Service', () => {
  const spec: k8s.ServiceSpec = {
    clusterIp: 'None',
    ports: [{ name: 'grpc', port: 50051 }],
  };

  test('over several networks is refused', () => {
    const found = problemsWith((into) => {
      into.add('40-services', k8s.KubeService, metadata, { spec });
    });
    expect(found).toEqual([
      'demo/custom: Service shop/x is headless, and the addresses of its pods cannot be reached across the networks net-east, net-west; ' +
        'received "clusterIP: None"; fix: remove clusterIP, or add the Service with `differs` only to the cluster whose pods call each other through it',
    ]);
  });

  test('declared for one cluster passes', () => {
    const differs = { because: 'its pods elect a leader', clusters: ['east'] };
    const found = problemsWith((into) => {
      if (into.cluster.name === 'east')
        into.add('40-services', k8s.KubeService, { ...metadata, differs }, { spec });
    });
    expect(found).toEqual([]);
  });
});
