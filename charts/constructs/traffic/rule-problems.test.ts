import { describe, expect, test } from '@jest/globals';
import { OrdersService } from '../../../gen/test/orders/v1/orders_pb.js';
import { problemsOf } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';
import { GrpcService } from '../workload/grpc-service.ts';
import { Mesh } from '../mesh.ts';
import { lab } from '../../platforms.ts';
import { TrafficPolicy } from './traffic-policy.ts';
import { clusters, said, tester, weights } from '../../testing/inventory-policy.ts';
import type { Declared } from '../../testing/inventory-policy.ts';

describe('rules', () => {
  const rules = (of: (declared: Declared) => readonly unknown[]) =>
    said((declared) => ({ weights, rules: of(declared) }));

  test('for streams, and for methods of which the proto says too little', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.syncStock, timeoutMs: 100, retries: { attempts: 1 } },
        { method: method.importStock, mirror: { to: 'v2' } },
        { method: method.reserve, mirror: { to: 'v2' } },
        { metadata: tester, timeoutMs: 5 },
      ]),
    ).toEqual([
      'rules[0].timeoutMs: SyncStock is bidirectional streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[0].retries: SyncStock is bidirectional streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[1].mirror: ImportStock is client streaming: only calls of unary methods have a timeout, retries or a mirror; fix: remove it',
      'rules[2].mirror: the proto does not say that Reserve has no side effects, which a mirrored call would have twice; ' +
        'fix: if it has none, declare it there: option idempotency_level = NO_SIDE_EFFECTS; otherwise remove the mirror',
      "rules[3].timeoutMs: needs a method: whether it is safe depends on the method's proto; " +
        'fix: add a method, or move it to a rule for one method',
    ]);
  });

  test('retries of a method that may not be repeated', () => {
    const lines = withProject({}, (root) => {
      const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform: lab });
      const orders = new GrpcService(mesh.namespace('shop'), 'orders', {
        app: 'apps/orders',
        service: OrdersService,
      });
      const rule = { method: orders.method.createOrder, retries: { attempts: 2 } };
      new TrafficPolicy(orders, 'traffic', { rules: [rule] });
      return problemsOf(mesh);
    });
    expect(lines).toEqual([
      'demo/shop/orders/traffic: rules[0].retries: the proto does not say that CreateOrder may be repeated; ' +
        'fix: if it may, declare it there: option idempotency_level = IDEMPOTENT, or NO_SIDE_EFFECTS; otherwise remove the retries',
    ]);
  });

  test('of unknown methods and versions, or for no calls', () => {
    expect(
      rules(({ inventory: { method }, orders, catalog }) => [
        { method: (method as Record<string, unknown>)['reserv'], to: 'v2' },
        { method: orders.method.getOrder, to: 'v2' },
        { method: (catalog.method as Record<string, unknown>)['reserve'], to: 'v2' },
        { method: 'reserve', to: 'v3' },
        { method: method.reserve, to: 'idle' },
        { to: 'v2' },
        { method: method.getStock },
        null,
        { method: method.syncStock, timeout: 5, to: 'v2' },
        { method: method.getStock, mirror: { percent: 101 } },
        { method: method.getStock, metadata: tester, to: 'v2', mirror: { to: 'v2' } },
        { method: method.getStock, mirror: { to: 'v1' } },
      ]),
    ).toEqual([
      'rules[0].method: demo/shop/inventory has no such method; received "reserv"; ' +
        'allowed getStock, reserve, importStock, syncStock; fix: did you mean reserve?',
      'rules[1].method: is a method of another service, demo/shop/orders; received "getOrder"; ' +
        'allowed getStock, reserve, importStock, syncStock; fix: put the rule into a TrafficPolicy of that service',
      'rules[2].method: is not a method of the service; received "reserve"; ' +
        'allowed SERVICE.method.NAME, where NAME is one of getStock, reserve, importStock, syncStock',
      'rules[3].method: is not a method of the service; received "reserve"; ' +
        'allowed SERVICE.method.NAME, where NAME is one of getStock, reserve, importStock, syncStock',
      'rules[3].to: the service has no such version; received "v3"; allowed v1, v2, idle; fix: did you mean v1?',
      'rules[4].to: the version runs nowhere, as it has 0 replicas; received "idle"; fix: give it replicas',
      'rules[5]: does not say which calls it applies to; fix: add a method, metadata, or both',
      'rules[6]: has no effect; fix: add one of timeoutMs, retries, to, fault, mirror',
      'rules[7]: is not an object; received null; allowed an object with the keys method, metadata, timeoutMs, retries, to, fault, mirror',
      'rules[8].timeout: unknown key; received "timeout"; allowed method, metadata, timeoutMs, retries, to, fault, mirror; fix: did you mean timeoutMs?',
      'rules[9].mirror.to: is missing',
      'rules[9].mirror.percent: is not a percentage of the calls; received 101; allowed from 0.0001 to 100',
      'rules[10].mirror.to: is the version that the calls go to anyway; received "v2"',
      'rules[11].mirror.to: is the version that the calls go to anyway; received "v1"',
      'rules[11].mirror: is already set by rules[9]; fix: keep one',
    ]);
  });

  test('with metadata that cannot be sent or matched', () => {
    expect(
      rules(() => [
        { metadata: { 'X-Canary': { exact: '1' } }, to: 'v2' },
        { metadata: { 'user-bin': { exact: '1' } }, to: 'v2' },
        { metadata: { 'grpc-timeout': { prefix: '1' } }, to: 'v2' },
        {
          metadata: { 'content-type': { prefix: 'application/grpc+' }, te: { exact: 'trailers' } },
          to: 'v2',
        },
        { metadata: { a: { exact: '1', prefix: '1' }, b: { exact: '' }, c: '1', d: {} }, to: 'v2' },
        { metadata: { a: { regex: '(?=x)' }, b: { regex: '(' }, c: { regex: String.raw`(a)\1` } }, to: 'v2' },
        { metadata: {}, to: 'v2' },
        { metadata: 'x', to: 'v2' },
      ]),
    ).toEqual([
      'rules[0].metadata: is not a name of metadata; received "X-Canary"; allowed 1 to 128 of a-z, 0-9, underscore, dot and hyphen; fix: write x-canary',
      'rules[1].metadata: is binary metadata, which is sent as base64 and cannot be matched; received "user-bin"; ' +
        'fix: send what routes depend on as text, under a name that does not end in -bin',
      'rules[2].metadata: is reserved by gRPC; received "grpc-timeout"; fix: use a name of your own',
      'rules[3].metadata: is a header of every gRPC call, and no metadata: gateways go by it, too; received "content-type"; fix: use a name of your own',
      'rules[3].metadata: is a header of every gRPC call, and no metadata: gateways go by it, too; received "te"; fix: use a name of your own',
      'rules[4].metadata.a: is not exactly one way to match; received {"exact":"1","prefix":"1"}; allowed exact, prefix, regex',
      'rules[4].metadata.b.exact: is not a value of metadata; received ""; allowed a string of printable ASCII characters, at least one',
      'rules[4].metadata.c: is not an object; received "1"; allowed an object with the keys exact, prefix, regex',
      'rules[4].metadata.d: is not exactly one way to match; received {}; allowed exact, prefix, regex',
      'rules[5].metadata.a.regex: uses lookaround or a backreference, which RE2 does not have; received "(?=x)"',
      'rules[5].metadata.b.regex: is not an RE2 expression: it has a ( without a ); received "("',
      String.raw`rules[5].metadata.c.regex: uses lookaround or a backreference, which RE2 does not have; received "(a)\\1"`,
      'rules[6].metadata: is empty; received {}; fix: add an entry, or leave it out',
      'rules[7].metadata: is not an object with metadata; received "x"; allowed an object from metadata names to { exact }, { prefix } or { regex }',
    ]);
  });

  test('D10: with retries and a fault of the same calls, of which Istio makes one alone', () => {
    const fix =
      'fix: remove one of the two, or declare the fault in a rule with metadata, whose calls then have no retries';
    const excluded = `fault and retries exclude each other: Istio does not retry a call into which it injects a fault; ${fix}`;
    const fault = { status: 'ABORTED', percent: 5 };
    const retries = { attempts: 1 };
    const of = (...parts: readonly object[]) =>
      rules(({ inventory: { method } }) => parts.map((part) => ({ method: method.getStock, ...part })));
    expect(of({ fault, retries })).toEqual([`rules[0].fault: ${excluded}`]);
    expect(of({ retries }, { fault })).toEqual([`rules[1].fault: ${excluded}`]);
    expect(of({ fault }, { retries })).toEqual([`rules[1].retries: ${excluded}`]);
    expect(of({ fault }, { metadata: tester, retries })).toEqual([`rules[1].retries: ${excluded}`]);
    expect(of({ retries }, { metadata: tester, fault })).toEqual([]);
  });

  test('with retries and faults that say nothing, or too much', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 0, retries: { on: [] } },
        {
          method: method.reserve,
          timeoutMs: 100,
          retries: { attempts: 11, on: ['ABORTED'], perTryTimeoutMs: 100 },
        },
        { method: method.syncStock, fault: { percent: 5 } },
        { method: method.importStock, fault: { status: 'OK', percent: 0.00001 } },
        {
          metadata: tester,
          fault: [
            { delayMs: 1, percent: 1 },
            { delayMs: 2, percent: 1 },
          ],
        },
      ]),
    ).toEqual([
      'rules[0].timeoutMs: is not a valid number; received 0; allowed a whole number from 1 to 3600000',
      'rules[0].retries.attempts: is not a valid number; received null; allowed a whole number from 1 to 10',
      'rules[0].retries.on: is empty; received []; fix: add a status, or leave it out to retry UNAVAILABLE',
      'rules[1].retries.attempts: is not a valid number; received 11; allowed a whole number from 1 to 10',
      'rules[1].retries.on: is not a status that can be retried; received "ABORTED"; ' +
        'allowed CANCELLED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNAVAILABLE',
      'rules[1].retries.perTryTimeoutMs: it would never end an attempt, because the whole call ends after 100 ms; received 100; allowed less than 100',
      'rules[2].fault: is not exactly one kind of fault; received {"percent":5}; allowed either a status or a delayMs; for both, a list of two faults',
      'rules[3].fault.percent: is not a percentage of the calls; received 0.00001; allowed from 0.0001 to 100',
      'rules[3].fault.status: is not a gRPC error status; received "OK"; allowed CANCELLED, UNKNOWN, INVALID_ARGUMENT, ' +
        'DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, ' +
        'OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED',
      'rules[4].fault: has two faults of the same kind; received [{"delayMs":1,"percent":1},{"delayMs":2,"percent":1}]; fix: keep one',
    ]);
  });

  test('that say the same twice, or can never be reached', () => {
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 100 },
        { method: method.getStock, timeoutMs: 200, to: 'v2' },
        { method: method.getStock, metadata: { a: { exact: '1' }, b: { exact: '2' } }, to: 'v2' },
        { method: method.getStock, metadata: { b: { exact: '2' }, a: { exact: '1' } }, to: 'v1' },
        { metadata: tester, to: 'v1' },
        { metadata: tester, fault: { status: 'ABORTED', percent: 1 } },
      ]),
    ).toEqual([
      'rules[1].timeoutMs: is already set by rules[0]; fix: keep one',
      'rules[3]: can never be reached: rules[2] matches the same calls; fix: merge the two',
      'rules[5]: can never be reached: rules[4] matches the same calls; fix: merge the two',
    ]);
  });

  test('whose limits, with those of the method, make no sense together', () => {
    const perTry = (perTryTimeoutMs: number) => ({ retries: { attempts: 1, perTryTimeoutMs } });
    expect(
      rules(({ inventory: { method } }) => [
        { method: method.getStock, timeoutMs: 100 },
        { method: method.getStock, ...perTry(500) },
        { method: method.getStock, metadata: tester, ...perTry(100) },
        { method: method.reserve, timeoutMs: 1000, ...perTry(400) },
        { method: method.reserve, metadata: tester, timeoutMs: 400 },
        { method: method.reserve, metadata: { a: { exact: '1' } }, timeoutMs: 100, ...perTry(50) },
      ]),
    ).toEqual([
      'rules[1].retries.perTryTimeoutMs: it would never end an attempt, because another rule of the method ends the whole call ' +
        'after 100 ms; received 500; allowed less than 100',
      'rules[2].retries.perTryTimeoutMs: it would never end an attempt, because another rule of the method ends the whole call ' +
        'after 100 ms; received 100; allowed less than 100',
      'rules[4].timeoutMs: it would end the whole call before perTryTimeoutMs of another rule of the method, 400 ms, ends an attempt; received 400; ' +
        'allowed more than 400',
    ]);
  });

  test('that pick a version while the other calls go to all of them', () => {
    expect(said(() => ({ rules: [{ metadata: tester, to: 'v2' }] }))).toEqual([
      'rules[0].to: some calls go to one version, while all others are spread over the pods of every version; ' +
        'received "v2"; fix: add weights for the others, such as { v1: 100, v2: 0, idle: 0 }',
    ]);
  });
});
