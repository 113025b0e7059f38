import { expect, test } from '@jest/globals';
import { createRegistry } from '@bufbuild/protobuf';
import type { DescService } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { reservedPaths } from '../../apps/config/reserved-paths.ts';
import { bindingsOf, routerOf } from '../../apps/gateway/binding/bindings.ts';
import { codecOf } from '../../apps/gateway/codec/codec.ts';
import { createGateway } from '../../apps/gateway/gateway.ts';
import { openUpstreams } from '../../apps/gateway/transport/upstreams.ts';
import { createLog } from '../../apps/runtime/log.ts';
import { fuzzLimitMs, fuzzRuns } from '../../apps/testing/fuzz.ts';
import { httpCallProblems } from '../../charts/constructs/access/call-rules.ts';
import { HttpEdge } from '../../charts/constructs/edge/http-edge.ts';
import { GrpcService } from '../../charts/constructs/workload/grpc-service.ts';
import { twoClusters } from '../../charts/testing/mesh.ts';
import { withProject } from '../../charts/testing/project.ts';
import { formatProblem } from '../../core/problem.ts';
import type { Binding } from '../../http-rule/binding.ts';
import { library } from '../../http-rule/testing/library.ts';
import { plainLibrary, randomLibrary } from './random-rules.ts';
import type { RandomLibrary } from './random-rules.ts';

const packages = ['test', 'annex'] as const;
const log = createLog({ app: 'gateway', cluster: 'test', pod: 'test', level: 'silent' });
/** An app that serves as many libraries. */
const app = (count: 1 | 2) => ({
  services: packages.slice(0, count).map((pkg) => `${pkg}.Library`),
  ports: { grpc: 50_051, http: 8_081 },
  httpGateway: true,
});

function serviceOf(
  { rules, streaming, messages }: RandomLibrary,
  pkg: (typeof packages)[number] = 'test',
): DescService {
  return library(rules, { streaming, messages, message: 'Outer', pkg }).service;
}

/** Why the gateway does not start with the services, a line each; none when it does. */
function gatewayRefusal(services: readonly DescService[]): readonly string[] {
  try {
    createGateway({
      bindings: bindingsOf(services),
      upstreams: openUpstreams(new Map(services.map((service) => [service, '127.0.0.1:1']))),
      registry: createRegistry(),
      timeouts: { defaultMs: 5_000, maxMs: 60_000 },
      body: { bytes: 1_024, timeoutMs: 1_000 },
      streamIdleMs: 60_000,
      maxRequests: 1,
      maxStreams: 1,
      headers: { claims: [], answers: [] },
      webSocketOrigins: [],
      log,
    });
    return [];
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n');
  }
}

/**
 * What synth says of the services: exposed by an edge, behind the gateway container of an app that serves them, and when
 * the first method is called over HTTP.
 */
function synthProblems(root: string, services: readonly DescService[]) {
  const mesh = twoClusters(root);
  const shop = mesh.namespace('shop');
  const [library, ...others] = services.map((service, index) => {
    return new GrpcService(shop, index === 0 ? 'library' : `library-${index}`, {
      app: 'apps/library',
      service,
    });
  });
  const edge = new HttpEdge(shop, 'edge', { expose: [library!, ...others] });
  return {
    edge: edge.problems().map(formatProblem),
    container: library!.problems().map(formatProblem),
    call: httpCallProblems('demo/shop/caller', [library!.methods[0]!]).map(formatProblem),
  };
}

test('both name everything that is wrong, and where', () => {
  const { service } = library(
    {
      Repeated: { pattern: { case: 'get', value: '/v1/{id}/{id}' } },
      Encoding: { pattern: { case: 'get', value: '/v1/%zz' } },
      Rest: { pattern: { case: 'get', value: '/v1/{rest=**}/x' } },
      Unknown: { pattern: { case: 'post', value: '/v1/{nofield}' }, body: 'bok', responseBody: 'bok' },
      Reserved: { pattern: { case: 'get', value: '/{id}' } },
      Equal: {
        pattern: { case: 'get', value: '/v1/{id}' },
        additionalBindings: [{ pattern: { case: 'get', value: '/v1/{name}' } }],
      },
    },
    { message: 'Request' },
  );
  const syntax = 'fix: see "Path template syntax" in google/api/http.proto';
  const fields = 'id, name, parent, path, rest';
  const lines = [
    `test.Library/Repeated: path template: the variable id appears twice at offset 13; received "/v1/{id}/{id}"; ${syntax}`,
    `test.Library/Encoding: path template: percent-encoding is malformed at offset 7; received "/v1/%zz"; ${syntax}`,
    `test.Library/Rest: path template: nothing may follow "**" at offset 14; received "/v1/{rest=**}/x"; ${syntax}`,
    'test.Library/Unknown: body of POST /v1/{nofield}: test.Request has no field "bok"; received "bok"; ' +
      `allowed *, or ${fields}`,
    'test.Library/Unknown: response_body of POST /v1/{nofield}: test.Request has no field "bok"; received "bok"; ' +
      `allowed ${fields}`,
    'test.Library/Unknown: variable nofield: test.Request has no field "nofield"; received "/v1/{nofield}"; ' +
      `allowed ${fields}`,
    'test.Library/Reserved: the path takes /healthz, which the gateway itself answers; received "/{id}"; ' +
      'fix: begin it with a prefix such as /v1',
    'test.Library/Equal: the HTTP method and path are also those of GET /v1/{id} of test.Library/Equal; ' +
      'received "GET /v1/{name}"; fix: change the path of one of them',
  ];
  expect(gatewayRefusal([service])).toEqual(lines);
  withProject({ library: app(1) }, (root) => {
    const { edge, container } = synthProblems(root, [service]);
    expect(edge).toEqual(lines.map((line) => `demo/shop/edge: expose: ${line}`));
    expect(container).toEqual(lines.map((line) => `demo/shop/library: httpGateway: ${line}`));
  });
});

test(
  'synth accepts what the gateway starts with, refuses what it does not, and both say the same',
  () => {
    const runs = fuzzRuns(200);
    let [started, refused] = [0, 0];
    withProject({ library: app(2) }, (root) => {
      const property = fc.property(randomLibrary, plainLibrary, (one, other) => {
        const services = [serviceOf(one), serviceOf(other, 'annex')];
        const refusal = gatewayRefusal(services);
        const { edge, container } = synthProblems(root, services);
        expect(edge).toEqual(refusal.map((line) => `demo/shop/edge: expose: ${line}`));
        expect(container).toEqual(refusal.map((line) => `demo/shop/library: httpGateway: ${line}`));
        if (refusal.length > 0) refused += 1;
        else started += 1;
      });
      fc.assert(property, { numRuns: runs });
    });
    // Neither is so rare that it was hardly tried.
    expect(Math.min(started, refused)).toBeGreaterThan(runs / 20);
  },
  fuzzLimitMs,
);

test(
  'a method whose own rule stops the gateway cannot be called over HTTP',
  () => {
    withProject({ library: app(1) }, (root) => {
      const property = fc.property(randomLibrary, ({ rules, messages }) => {
        const alone = serviceOf({ rules: { First: rules['First'] }, streaming: [], messages });
        const refusal = gatewayRefusal([alone]);
        const { call } = synthProblems(root, [alone]);
        const ofRules = call.filter((problem) => problem.startsWith('demo/shop/caller: callsHttp[0]: test.'));
        expect(ofRules).toEqual(refusal.map((line) => `demo/shop/caller: callsHttp[0]: ${line}`));
      });
      fc.assert(property, { numRuns: fuzzRuns(200) });
    });
  },
  fuzzLimitMs,
);

/** The bindings that the gateway takes the services to have; undefined when it refuses them. */
function acceptedBindings(services: readonly DescService[]): readonly Binding[] | undefined {
  try {
    return bindingsOf(services);
  } catch {
    return undefined;
  }
}

test(
  'what is accepted has a route and a codec for each binding, and none for what the gateway answers itself',
  () => {
    const property = fc.property(randomLibrary, (random) => {
      const bindings = acceptedBindings([serviceOf(random)]) ?? [];
      const router = routerOf(bindings);
      for (const binding of bindings) {
        codecOf(binding, createRegistry());
        const { httpMethod, template } = binding;
        for (const path of reservedPaths) expect(router.find(httpMethod, path)).toEqual({ kind: 'none' });
        const segments = template.segments.map((each) => (each.kind === 'literal' ? each.text : 'any'));
        const verb = template.verb === undefined ? '' : `:${encodeURIComponent(template.verb)}`;
        const path = `/${segments.map(encodeURIComponent).join('/')}${verb}`;
        expect(router.find(httpMethod, path)).toMatchObject({ kind: 'route' });
      }
    });
    fc.assert(property, { numRuns: fuzzRuns(1_000) });
  },
  fuzzLimitMs,
);
