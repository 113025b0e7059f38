import { expect, test } from '@jest/globals';
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
      'fix: say how much it needs; or, if it has to be so, give the reason in its annotation ' +
      'meshwright/accept-bounded-resources',
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
    'demo/custom: Widget shop/x: there is no schema for this kind; received "demo.example/v1 Widget"; ' +
      'fix: add its model to charts/gates/schemas.ts, or add the object with addCustom',
  ]);
  expect(
    problemsWith((into) => {
      into.addCustom('40-services', { apiVersion: 'demo.example/v1', kind: 'Widget' }, metadata, {
        spec: {},
      });
    }),
  ).toEqual([]);
});
