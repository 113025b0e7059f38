import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from './kube-object.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { labelsFor, lookAtWebhooks, selects } from './webhooks.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.intervene = () => undefined;
  api.requests.length = 0;
});

const namespace = (name: string, labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const namespaces = [namespace('istio-system', {}), namespace('shop', { 'istio-injection': 'enabled' })];
const expression = (key: string, operator: string, ...values: readonly string[]) => ({
  key,
  operator,
  values,
});
const configuration = (kind: string, webhook: object): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: 'istio' },
  webhooks: [{ name: 'istio.example', ...webhook }],
});
const injecting = configuration('MutatingWebhookConfiguration', {
  namespaceSelector: { matchExpressions: [expression('istio-injection', 'In', 'enabled')] },
  objectSelector: { matchExpressions: [expression('sidecar.istio.io/inject', 'NotIn', 'false')] },
});
const validating = configuration('ValidatingWebhookConfiguration', {
  objectSelector: { matchExpressions: [expression('istio.io/rev', 'In', 'default')] },
});
const posted = () => api.requests.find(({ method }) => method === 'POST');

describe('lookAtWebhooks', () => {
  test('injection answers when a pod in a namespace it selects comes back with a proxy', async () => {
    expect(await lookAtWebhooks(api.client, injecting, namespaces)).toEqual({
      done: false,
      because: 'it did not add a proxy to a pod',
    });
    expect(posted()).toMatchObject({ path: '/api/v1/namespaces/shop/pods', query: { dryRun: 'All' } });
    api.intervene = ({ method }) =>
      method === 'POST'
        ? { status: 201, body: { spec: { initContainers: [{ name: 'istio-proxy' }] } } }
        : undefined;
    expect(await lookAtWebhooks(api.client, injecting, namespaces)).toEqual({ done: true, value: true });
  });

  test('validation answers when it refuses an invalid gateway, not when the server cannot reach it', async () => {
    const refuse = (message: string) => {
      api.intervene = ({ method }) => (method === 'POST' ? { status: 400, body: { message } } : undefined);
    };
    const unreachable = 'failed calling webhook "istio.example": connection refused';
    refuse(unreachable);
    expect(await lookAtWebhooks(api.client, validating, namespaces)).toEqual({
      done: false,
      because: unreachable,
    });
    refuse('admission webhook "istio.example" denied the request: configuration is invalid');
    expect(await lookAtWebhooks(api.client, validating, namespaces)).toEqual({ done: true, value: true });
    expect(posted()?.body).toMatchObject({
      kind: 'Gateway',
      metadata: { labels: { 'istio.io/rev': 'default' } },
    });
    api.intervene = () => undefined;
    expect(await lookAtWebhooks(api.client, validating, namespaces)).toEqual({
      done: false,
      because: 'it accepted an invalid Gateway',
    });
  });

  test('a webhook that selects no namespace of the mesh is not asked', async () => {
    expect(await lookAtWebhooks(api.client, injecting, namespaces.slice(0, 1))).toEqual({
      done: true,
      value: true,
    });
    expect(posted()).toBeUndefined();
  });
});

describe('label selectors', () => {
  test.each([
    ['nothing', undefined, {}, true],
    ['an exact label', { matchLabels: { a: '1' } }, { a: '1' }, true],
    ['another value', { matchLabels: { a: '1' } }, { a: '2' }, false],
    ['In', { matchExpressions: [expression('a', 'In', '1', '2')] }, { a: '2' }, true],
    ['In without the label', { matchExpressions: [expression('a', 'In', '1')] }, {}, false],
    ['NotIn', { matchExpressions: [expression('a', 'NotIn', '1')] }, { a: '1' }, false],
    ['NotIn without the label', { matchExpressions: [expression('a', 'NotIn', '1')] }, {}, true],
    ['Exists', { matchExpressions: [expression('a', 'Exists')] }, { a: '' }, true],
    ['DoesNotExist', { matchExpressions: [expression('a', 'DoesNotExist')] }, { a: '' }, false],
  ])('%s', (_, selector, labels, expected) => {
    expect(selects(selector, labels as Record<string, string>)).toBe(expected);
  });

  test('the labels made for a selector match it', () => {
    const part = fc.record({
      key: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }),
      operator: fc.constantFrom('In', 'Exists'),
      values: fc.array(fc.constantFrom('1', '2'), { minLength: 1 }),
    });
    fc.assert(
      fc.property(part, ({ key, operator, values }) => {
        const selector = { matchExpressions: key.map((name) => expression(name, operator, ...values)) };
        expect(selects(selector, labelsFor(selector))).toBe(true);
      }),
    );
  });
});
