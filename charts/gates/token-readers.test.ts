import { expect, test } from '@jest/globals';
import { deployment, said, security } from '../testing/own-objects.ts';
import type { Own } from '../testing/own-objects.ts';

const istio = (kind: string, spec: object): Own => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  body: { spec },
});
const selector = { istio: 'ingressgateway' };
const gateway = istio('Gateway', {
  selector,
  servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['a.example'] }],
});
const route = [{ destination: { host: 'own' } }];
const service: Own = {
  apiVersion: 'v1',
  kind: 'Service',
  body: { spec: { ports: [{ name: 'http', port: 80 }] } },
};
const byClaim = (more: object) =>
  istio('VirtualService', {
    hosts: ['a.example'],
    gateways: ['own'],
    http: [{ match: [{ headers: { '@request.auth.claims.group': { exact: 'admin' } } }], route }],
    ...more,
  });

test('a route by a claim of tokens that nobody reads is refused', () => {
  const message =
    "demo/custom: VirtualService shop/own: spec.http.0.match.0 matches a claim, but no RequestAuthentication applies to its gateways' pods; " +
    'received "@request.auth.claims.group"; fix: add one, or route by something else';
  expect(said(service, gateway, byClaim({}))).toEqual([message]);
  // In sidecars there are no claims at all.
  expect(said(service, byClaim({ hosts: ['own'], gateways: ['mesh'] }))).toEqual([message]);
  const authentication = security(
    'RequestAuthentication',
    {
      selector: { matchLabels: selector },
      jwtRules: [{ issuer: 'https://id.example', jwksUri: 'https://id.example/keys' }],
    },
    'istio-ingress',
  );
  const annotations = { 'meshwright/accept-declared-access': 'tokens of an issuer of ours' };
  expect(said(service, gateway, byClaim({}), { ...authentication, annotations })).toEqual([]);
});

test('a policy that asks for tokens which nobody reads is refused, whatever it does', () => {
  const deployed = deployment();
  const selected = { selector: { matchLabels: { app: 'own' } } };
  const message = (received: string) =>
    `demo/custom: AuthorizationPolicy shop/own asks for tokens, but no RequestAuthentication reads them at Deployment shop/own: there no request has one; received ["${received}"]; fix: add one for these pods, or ask for something else`;
  const denies = (rule: object) =>
    security('AuthorizationPolicy', { ...selected, action: 'DENY', rules: [rule] });
  for (const [asks, rule] of [
    ['requestPrincipals', { from: [{ source: { requestPrincipals: ['https://id.example/*'] } }] }],
    ['notRequestPrincipals', { from: [{ source: { notRequestPrincipals: ['*'] } }] }],
    ['request.auth.claims[group]', { when: [{ key: 'request.auth.claims[group]', notValues: ['admin'] }] }],
  ] as const)
    expect(said(deployed, denies(rule))).toContain(message(asks));
  const policy = denies({ from: [{ source: { notRequestPrincipals: ['*'] } }] });
  const jwtRules = [{ issuer: 'https://id.example', jwksUri: 'https://id.example/keys' }];
  const reads = (more: object) => security('RequestAuthentication', { ...more, jwtRules });
  expect(said(deployed, policy, reads(selected))).not.toContain(message('notRequestPrincipals'));
  expect(said(deployed, policy, reads({}))).not.toContain(message('notRequestPrincipals'));
});
