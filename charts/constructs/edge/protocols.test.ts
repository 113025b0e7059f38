import { describe, expect, test } from '@jest/globals';
import { Health } from '../../../gen/grpc/health/v1/health_pb.js';
import { anyEdge, jwt, withShop } from '../../testing/edge.ts';
import { joined, onExisting, shopOnExisting } from '../../testing/existing.ts';
import { libraryOf } from '../../testing/library.ts';
import { problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { existingService } from '../existing/existing-service.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { HttpEdge } from './http-edge.ts';

const protocols = ['rest', 'grpc'] as const;

describe('methods without an HTTP path', () => {
  test('can be named, for native clients alone: the HTTP gateway knows nothing of them', () => {
    withShop(({ mesh, shop, catalog }) => {
      const service = libraryOf({ Plain: undefined });
      const library = new GrpcService(shop, 'library', { app: 'apps/orders', service });
      new HttpEdge(shop, 'edge', {
        expose: [catalog.method.getProduct, library.method['plain']!],
        protocols,
      });
      expect(problemsOf(mesh).filter((problem) => problem.startsWith('demo/shop/edge'))).toEqual([]);
      expect(
        mesh.node.findAll().flatMap((part) => (part instanceof HttpEdge ? part.calledMethods : [])),
      ).toEqual([catalog.method.getProduct]);
    });
  });

  test('problems', () => {
    withShop(({ mesh, shop }) => {
      const health = new GrpcService(shop, 'health', { app: 'apps/orders', service: Health });
      anyEdge(shop, { expose: [health], protocols });
      anyEdge(mesh.namespace('b'), { expose: [health.method.check], protocols, hosts: ['b.example'] });
      expect(problemsOf(mesh).filter((problem) => problem.includes('/edge'))).toEqual([
        'demo/shop/edge: expose: no method of the service has an HTTP path; received "demo/shop/health"; ' +
          'fix: name the methods, which are then for native gRPC clients only, or add a google.api.http option to one',
        'demo/b/edge: expose: no exposed method has an HTTP path, so that the HTTP gateway would have nothing to serve; ' +
          'received ["demo/shop/health.method.check"]; fix: expose one that has, or add a google.api.http option to one',
      ]);
    });
  });
});

describe('problems', () => {
  test.each<[string, unknown, string]>([
    ['no list', 'grpc', 'is not a list of protocols; received "grpc"'],
    ['an empty list', [], 'is not a list of protocols; received []'],
    ['an unknown protocol', ['rest', 'graphql'], 'is not a list of protocols; received ["rest","graphql"]'],
    ['one twice', ['rest', 'grpc', 'grpc'], 'has a protocol twice; received ["rest","grpc","grpc"]'],
    [
      'none for the HTTP gateway',
      ['grpc'],
      'leaves out rest, which the HTTP gateway of the edge is for; received ["grpc"]',
    ],
  ])('protocols: %s', (_, declared, what) => {
    withShop(({ mesh, shop, catalog }) => {
      anyEdge(shop, { expose: [catalog], protocols: declared });
      expect(problemsOf(mesh)).toEqual([
        `demo/shop/edge: protocols: ${what}; allowed ['rest'] or ['rest', 'grpc']`,
      ]);
    });
  });

  test('gateways of others, where nothing is ours', () => {
    withProject({}, (root) => {
      const mesh = onExisting(root, joined);
      const { shop, catalog } = shopOnExisting(mesh);
      new HttpEdge(shop, 'edge', { expose: [catalog], hosts: ['api.example'], protocols });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: protocols: has grpc, at gateways that belong to others: nothing there is ours, so that tokens and limits could be ' +
          'held by no proxy but the services\' own, for callers in the mesh, too; received ["rest","grpc"]; ' +
          "fix: leave grpc out, or leave ingress out of the platform for gateways of the mesh's own",
      ]);
    });
  });

  test('a service of others, whose owners decide who may call it', () => {
    withShop(({ mesh, shop, catalog }) => {
      mesh.namespace('bank');
      const ledger = existingService(mesh, { namespace: 'bank', name: 'ledger', service: catalog.service });
      new HttpEdge(shop, 'edge', { expose: [ledger], protocols });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/edge: protocols: has grpc, and the edge exposes a service that belongs to others, whose routes and policies ' +
          'are not ours; received "demo/existingService(bank/ledger)"; fix: expose it at an edge of its own, without grpc',
      ]);
    });
  });

  test('a rule that routes by metadata of a claim, which a client without a token could make up', () => {
    withShop(({ mesh, shop, catalog }) => {
      new TrafficPolicy(catalog, 'traffic', {
        rules: [{ metadata: { 'x-user': { exact: 'root' } }, fault: { status: 'ABORTED', percent: 1 } }],
      });
      new HttpEdge(shop, 'edge', {
        expose: [catalog],
        jwt: { ...jwt, claims: { sub: 'x-user' } },
        protocols,
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/shop/catalog/traffic: rules[0].metadata: is metadata of a claim, by which native gRPC clients of demo/shop/edge ' +
          'could choose their route without a token; received "x-user"; ' +
          'fix: route by other metadata, or expose the service at an edge without grpc',
      ]);
    });
  });
});
