import { expect, test } from '@jest/globals';
import { problemsWith } from '../../testing/custom.ts';
import { TcpService } from '../../constructs/tcp/tcp-service.ts';
import { catalogIn } from '../../testing/mesh.ts';
import type { IstioSpec } from '../../model/istio-models.ts';

type Policy = IstioSpec<'AuthorizationPolicy'>;

/** What synth says of a policy about pods of a broker on two ports, or about those of the catalog, which speaks gRPC and HTTP. */
const said = (policy: Policy, about = 'broker', namespace = 'shop') =>
  problemsWith(
    (into) => {
      const selector = { matchLabels: { 'app.kubernetes.io/name': about } };
      const metadata = {
        ...{ name: 'own', namespace },
        annotations: { 'meshwright/accept-declared-access': 'of this test' },
      };
      const spec = about === 'all' ? policy : { selector, ...policy };
      into.addIstio('40-services', 'demo/custom', 'AuthorizationPolicy', metadata, spec);
    },
    (_, shop) => {
      catalogIn(shop);
      new TcpService(shop, 'broker', {
        image: 'nats:2.15.3',
        ports: { client: 4222, monitor: { port: 8222, servicePort: 80 } },
      });
    },
  );
const from = [{ source: { principals: ['demo.example/ns/shop/sa/catalog'] } }];
const at = 'demo/custom: AuthorizationPolicy shop/own: spec.rules[0]';
const dropped = 'where Istio ignores the whole rule, so that whom it names is denied';
const narrowed = 'where Istio leaves that out, so that the rule is about more than it says';

test('a rule that allows by what only HTTP has, about a port over TCP, is refused', () => {
  expect(
    said({ rules: [{ from, to: [{ operation: { ports: ['8222'], paths: ['/varz'], methods: ['GET'] } }] }] }),
  ).toEqual([
    `${at}.to[0].operation.methods is about HTTP, and port 8222 of its pods speaks TCP, ${dropped}; received ["GET"]; fix: remove it`,
    `${at}.to[0].operation.paths is about HTTP, and port 8222 of its pods speaks TCP, ${dropped}; received ["/varz"]; fix: remove it`,
  ]);
});

test('and one that denies so, about all ports, by the claims of a token', () => {
  const rules = [
    {
      from: [{ source: { requestPrincipals: ['*'] } }],
      when: [{ key: 'request.auth.claims[role]', values: ['a'] }],
    },
  ];
  const told = said({ action: 'DENY', rules }).filter((line) => line.includes('is about HTTP'));
  expect(told).toEqual([
    `${at}.from[0].source.requestPrincipals is about HTTP, and port 4222, 8222 of its pods speaks TCP, ${narrowed}; received ["*"]; fix: remove it`,
    `${at}.when[0].key is about HTTP, and port 4222, 8222 of its pods speaks TCP, ${narrowed}; received "request.auth.claims[role]"; fix: remove it`,
  ]);
});

test('rules about identities and ports are right, and those of HTTP where pods speak it', () => {
  expect(said({ rules: [{ from, to: [{ operation: { ports: ['4222'] } }] }] })).toEqual([]);
  expect(said({ rules: [{ from }] })).toEqual([]);
  expect(
    said({ rules: [{ from, to: [{ operation: { methods: ['GET'], paths: ['/a'] } }] }] }, 'catalog'),
  ).toEqual([]);
});

test.each([
  ['shop', 'shop/own'],
  ['istio-system', 'istio-system/own'],
])('a policy of all pods in %s is about those over TCP, too', (namespace, title) => {
  const rules = [{ from, to: [{ operation: { methods: ['GET'] } }] }];
  // What it allows, it allows those who speak HTTP; what it denies, it denies everybody who does not.
  expect(said({ rules }, 'all', namespace)).toEqual([]);
  expect(said({ action: 'DENY', rules }, 'all', namespace)).toEqual([
    `demo/custom: AuthorizationPolicy ${title}: spec.rules[0].to[0].operation.methods is about HTTP, and port 4222, 8222 of its pods speaks TCP, ${narrowed}; received ["GET"]; fix: remove it`,
  ]);
  const ports = [{ from, to: [{ operation: { ports: ['4222'], methods: ['GET'] } }] }];
  expect(said({ rules: ports }, 'all', namespace)).toEqual([
    `demo/custom: AuthorizationPolicy ${title}: spec.rules[0].to[0].operation.methods is about HTTP, and port 4222 of its pods speaks TCP, ${dropped}; received ["GET"]; fix: remove it`,
  ]);
});
