import { expect, test } from '@jest/globals';
import { frontIn, ordersIn, refused, type Clusters, type Shop } from '../../testing/foreign.ts';
import { problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import type { Method } from '../scope/method.ts';
import { HttpService, type HttpServiceProps } from './http-service.ts';

// Plain JavaScript may pass anything.
const declared = (props: unknown) => (shop: Shop) =>
  new HttpService(shop, 'front', props as HttpServiceProps<Clusters>);
const keys =
  'image, imagePullSecrets, env, resources, replicas, autoscaling, shutdown, command, args, user, metrics, pod, clusters, port, servicePort, placement, failover, timeoutMs, retries, probes';
const image = 'allowed NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved';
const port =
  'allowed a port from 1024 to 65535, except 15000 to 15099 (used by Istio), 9465 (used for metrics)';

test('properties that are missing, misspelt or of a wrong kind are told all at once', () => {
  const wrong = {
    image: 'front:latest',
    port: 80,
    servicePort: 15_001,
    timeoutMs: 0,
    retries: { perTryTimeoutMs: 'soon' },
    failover: { east: ['wset'] },
    probes: { readiness: { grpc: {} }, liveness: { tcp: { port: 81 } } },
    placment: ['west'],
  };
  expect(refused(declared(wrong))).toEqual([
    `demo/shop/front: port: wrong value; received 80; ${port}`,
    'demo/shop/front: servicePort: wrong value; received 15001; allowed a port from 1 to 65535, except 15000 to 15099 (used by Istio)',
    'demo/shop/front: probes.readiness.grpc: unknown key; allowed tcp, http, exec; fix: remove it',
    `demo/shop/front: image: the tag latest may be moved to another image; received "front:latest"; ${image}`,
    'demo/shop/front: probes.liveness.tcp.port: is not one of the ports of the container; received 81; allowed 80',
    `demo/shop/front: placment: unknown key; received "placment"; allowed ${keys}; fix: did you mean placement?`,
    'demo/shop/front: failover.east: the mesh has no such cluster; received "wset"; allowed east, west; fix: did you mean west?',
    'demo/shop/front: timeoutMs: is not a valid number; received 0; allowed a whole number from 1 to 86400000',
    'demo/shop/front: retries.attempts: missing; allowed a whole number from 1 to 10',
    'demo/shop/front: retries.perTryTimeoutMs: is not a valid number; received "soon"; allowed a whole number from 1 to 86400000',
  ]);
  expect(
    refused(declared({ image: 'front:3.1.0', port: 8080, retries: { attempt: 2, attempts: 2 } })),
  ).toEqual([
    'demo/shop/front: retries.attempt: unknown key; received "attempt"; allowed attempts, perTryTimeoutMs; fix: did you mean attempts?',
  ]);
  expect(refused(declared(undefined))).toEqual([
    `demo/shop/front: image: missing; ${image}`,
    `demo/shop/front: port: missing; ${port}`,
  ]);
});

test('routes from plain JavaScript are checked at synth', () => {
  withProject({}, (root) => {
    const mesh = twoClusters(root);
    const shop = mesh.namespace('shop');
    const front = frontIn(shop);
    const other = frontIn(twoClusters(root).namespace('shop'));
    const orders = ordersIn(shop);
    const loose = front as unknown as { route(...given: unknown[]): ReturnType<typeof front.route> };
    orders.calls(loose.route('GTE', '/api/%2e%2e/x'), loose.route(), other.route('GET', '/'));
    orders.callsHttp(front.route('GET', '/') as unknown as Method<'unary', Clusters>);
    const at = 'demo/shop/orders: calls';
    const verbs = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
    const path =
      'allowed /api/items, /api/* for all below /api/, or /api/{*}/items, where {*} is one segment and a last {**} all that follow; ' +
      'of letters, digits and - . _ ~ ! $ & ( ) + , : @ =';
    expect(problemsOf(mesh)).toEqual([
      `${at}[0]: is not a verb of HTTP; received "GTE"; allowed ${verbs}; fix: did you mean GET?`,
      `${at}[0]: is percent-encoded: proxies compare what was sent, and a client may encode another way, or not at all; received "/api/%2e%2e/x"; ${path}`,
      `${at}[1]: is not a verb of HTTP; received nothing; allowed ${verbs}`,
      `${at}[1]: is not a path; received nothing; ${path}`,
      `${at}[2]: is a route of a service in another mesh; received "demo/shop/front"; fix: declare the service in this mesh`,
      'demo/shop/orders: callsHttp[0]: is not a method of a declared service; received "demo/shop/front: GET /"; allowed SERVICE.method.NAME',
    ]);
  });
});
