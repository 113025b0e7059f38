import { expect, test } from '@jest/globals';
import { deployment, said, service } from '../../testing/own-objects.ts';

const by = (name: string, port: object) => ({
  ...service({ selector: { app: 'own' }, ports: [port] }),
  name,
});

test.each([
  [
    { name: 'tcp', port: 9080 },
    { name: 'http', port: 9080 },
  ],
  [
    { name: 'tcp-own', port: 9080, targetPort: 9080 },
    { name: 'x', appProtocol: 'http', port: 9090, targetPort: 9080 },
  ],
])('a port of pods to which two Services lead by two protocols: %j, %j', (one, two) => {
  expect(said(deployment(), by('one', one), by('two', two))).toEqual([
    'demo/custom: Service shop/two targets port 9080 of Deployment shop/own with a different protocol than Service shop/one, and Istio uses only one of them; received "http"; allowed tcp; fix: use the same appProtocol in both, or separate ports',
  ]);
});

test('by one protocol, or to two ports, they may', () => {
  const http = { name: 'http', port: 9080 };
  expect(said(deployment(), by('one', http), by('two', { ...http, name: 'http-own' }))).toEqual([]);
  expect(
    said(deployment(), by('one', http), by('two', { name: 'tcp', port: 9080, targetPort: 9081 })),
  ).toEqual([]);
});
