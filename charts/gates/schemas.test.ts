import { describe, expect, test } from '@jest/globals';
import { ApiObject } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { problemsWith } from '../testing/custom.ts';

const metadata = { name: 'x', namespace: 'shop' };

test('every schema has its say on every object, Kubernetes’ own and Istio’s, all together', () => {
  const found = problemsWith((into) => {
    const wrong = { replicas: 'three', selector: {}, template: { spec: { containers: [{}] } } };
    into.add('50-workloads', k8s.KubeDeployment, metadata, { spec: wrong });
    const servers = [{ port: { number: 'x', name: 'http', protocol: 'HTTP' }, hosts: '*' }];
    into.addIstio('20-gateways', 'demo/custom', 'Gateway', metadata, { servers } as never);
    const filter = { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter' };
    into.addCustom('40-services', filter, metadata, { spec: { configPatches: [{ applyTo: 'ROUTER' }] } });
  });
  expect(found).toEqual([
    'demo/custom: Gateway shop/x: spec.servers.0.hosts must be array',
    'demo/custom: Gateway shop/x: spec.servers.0.port.number must be integer',
    'demo/custom: EnvoyFilter shop/x: spec.configPatches.0.applyTo must be equal to one of the allowed values',
    'demo/custom: Deployment shop/x: spec.replicas must be integer',
    'demo/custom: Deployment shop/x: spec.template.spec.containers.0 must have required property name',
    'demo/custom: Deployment shop/x: containers[].image is missing: without a tag it means the newest image; ' +
      'fix: use a digest or a fixed tag; or, if it has to be so, give the reason in its annotation ' +
      'meshwright/accept-pinned-images',
    'demo/custom: Deployment shop/x: containers[].resources lacks requests.cpu, requests.memory, limits.memory; ' +
      'fix: set what is missing; or, if it has to be so, give the reason in its annotation ' +
      'meshwright/accept-bounded-resources',
    "demo/custom: Deployment shop/x: the pods' securityContext lacks what the level restricted of namespace shop asks for, which refuses its pods: Istio adds containers that have no profile of their own; fix: add seccompProfile: { type: RuntimeDefault }",
    'demo/custom: Deployment shop/x: containers[].securityContext lacks what the level restricted of namespace shop asks for, ' +
      'which refuses its pods; fix: add allowPrivilegeEscalation: false, capabilities: { drop: [ALL] }, runAsNonRoot: true',
  ]);
});

test('a kind without a schema is accepted only as a custom resource', () => {
  class Widget extends ApiObject {
    static readonly GVK = { apiVersion: 'demo.example/v1', kind: 'Widget' };

    constructor(scope: ConstructorParameters<typeof ApiObject>[0], id: string, props: object) {
      super(scope, id, { ...Widget.GVK, ...props });
    }
  }
  expect(
    problemsWith((into) => {
      into.add('40-services', Widget, metadata, {});
    }),
  ).toEqual([
    'demo/custom: Widget shop/x: there is no schema for this kind; received "demo.example/v1 Widget"; fix: add its model to charts/gates/schemas.ts, or add the object with addCustom',
  ]);
  expect(
    problemsWith((into) => {
      into.addCustom('40-services', { apiVersion: 'demo.example/v1', kind: 'Widget' }, metadata, {
        spec: {},
      });
    }),
  ).toEqual([]);
});

describe('D1: keys that the schema of a kind does not know', () => {
  const custom = (apiVersion: string, kind: string, spec: object) =>
    problemsWith((into) => {
      into.addCustom('40-services', { apiVersion, kind }, metadata, { spec });
    });
  const unknown = (path: string) => `${path} is not a field of this kind`;

  test('are refused at any depth, of Istio’s kinds and of Kubernetes’', () => {
    const rules = [{ form: [], from: [{ source: { principal: ['a/b'], principals: ['a/b'] } }] }];
    expect(custom('security.istio.io/v1', 'AuthorizationPolicy', { rules, rule: [] })).toEqual([
      `demo/custom: AuthorizationPolicy shop/x: ${unknown('spec.rule')}`,
      `demo/custom: AuthorizationPolicy shop/x: ${unknown('spec.rules.0.form')}`,
      `demo/custom: AuthorizationPolicy shop/x: ${unknown('spec.rules.0.from.0.source.principal')}`,
    ]);
    expect(custom('v1', 'Service', { port: [], ports: [{ name: 'http', port: 80, nodeport: 1 }] })).toEqual([
      `demo/custom: Service shop/x: ${unknown('spec.port')}`,
      `demo/custom: Service shop/x: ${unknown('spec.ports.0.nodeport')}`,
    ]);
  });

  test('are refused of cdk8s’ classes, too, which leave them out', () => {
    const container = { name: 'x', imagee: 'a', env: [{ name: 'A', valu: 'b' }] };
    const spec = { replica: 3, selector: {}, template: { spec: { containers: [container] } } };
    const found = problemsWith((into) => {
      into.add('50-workloads', k8s.KubeDeployment, metadata, { spec });
    });
    expect(found).toEqual(
      [
        'spec.replica',
        'spec.template.spec.containers.0.imagee',
        'spec.template.spec.containers.0.env.0.valu',
      ].map(
        (path) =>
          `demo/custom: the Deployment shop/x has a key that its kind does not know; received "${path}"; fix: correct or remove it`,
      ),
    );
  });

  test('are anything in labels, and in what a schema leaves to Envoy', () => {
    const value = { name: 'own', typed_config: { whatever: { it: 'is' } } };
    const configPatches = [{ applyTo: 'HTTP_FILTER', patch: { operation: 'INSERT_BEFORE', value } }];
    expect(custom('networking.istio.io/v1alpha3', 'EnvoyFilter', { priority: 10, configPatches })).toEqual(
      [],
    );
    expect(custom('v1', 'ResourceQuota', { hard: { 'requests.example/own': '1' } })).toEqual([]);
  });
});

test('a list, in which nothing would be looked at, and a status, which only a cluster writes', () => {
  const found = problemsWith((into) => {
    const items = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata }];
    into.addCustom('40-services', { apiVersion: 'v1', kind: 'List' }, metadata, { items });
    const quota = { apiVersion: 'v1', kind: 'ResourceQuota' };
    const body = { spec: { hard: { pods: '1' } }, status: { hard: { pods: '1' } } };
    into.addCustom('40-services', quota, metadata, body);
  });
  expect(found).toEqual([
    'demo/custom: List shop/x: a list hides its objects from the gates, and the API server does not accept it; received "v1 List"; fix: add each object on its own',
    'demo/custom: ResourceQuota shop/x: status is written by the cluster, and has no effect here; fix: remove it',
  ]);
});
