import { describe, expect, test } from '@jest/globals';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import { reachesNode } from './node-access.ts';
import { passesProxy, unlimited, unpinned, unsafeEnvironment } from './pod-rules.ts';

/** A pod template's content, as `spec` and `metadata`. */
interface Template {
  readonly spec?: unknown;
  readonly metadata?: unknown;
}

const deployment = (template: Template, labels: object = {}): KubernetesObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'one', labels },
    spec: { template },
  }) as KubernetesObject;
const withContainer = (container: object, template: Template = {}) =>
  deployment({ ...template, spec: { containers: [{ name: 'app', ...container }] } });

describe('where pods are', () => {
  const template = { spec: { hostPID: true } };
  const found = [
    {
      what: 'hostPID is set',
      received: true,
      fix: 'remove it: the pod would share what belongs to the node',
    },
  ];
  test.each([
    { kind: 'Pod', ...template },
    { kind: 'Deployment', spec: { template } },
    { kind: 'Job', spec: { template } },
    { kind: 'CronJob', spec: { jobTemplate: { spec: { template } } } },
  ])('%j', (object) => {
    expect(reachesNode({ apiVersion: 'v1', metadata: { name: 'one' }, ...object })).toEqual(found);
  });

  test('nothing else has any', () => {
    expect(
      reachesNode({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'one' },
        ...template,
      }),
    ).toEqual([]);
  });
});

describe('images', () => {
  const pin = 'use a digest or a fixed tag';
  const digest = `@sha256:${'0a'.repeat(32)}`;

  test.each(['latest', 'LATEST', 'main', 'stable-slim', '1', 'v1', '1.2', 'v1.29', '2024', '24.123'])(
    'the tag %s may move',
    (tag) => {
      const image = `registry.example:5000/app:${tag}`;
      expect(unpinned(withContainer({ image }))).toEqual([
        { what: `containers[app].image is "${image}": the tag "${tag}" may move to another image`, fix: pin },
      ]);
    },
  );

  test.each(['1.2.3', 'v1.29.0', '20260101', '1.31-dev.eed52ebb66ad', '1.2.3-alpine', 'v12345', '1.1234'])(
    'the tag %s is fixed',
    (tag) => {
      expect(unpinned(withContainer({ image: `app:${tag}` }))).toEqual([]);
    },
  );

  test.each([
    'app',
    'registry.example:5000/app',
    'app@sha256:0a',
    `app${digest}0`,
    `app${digest.toUpperCase()}`,
    'app:',
  ])('%s has no tag', (image) => {
    expect(unpinned(withContainer({ image }))).toEqual([
      { what: `containers[app].image is "${image}": without a tag it means the newest image`, fix: pin },
    ]);
  });

  test('a digest pins, whatever the tag', () => {
    expect(unpinned(withContainer({ image: `app${digest}` }))).toEqual([]);
    expect(unpinned(withContainer({ image: `app:latest${digest}` }))).toEqual([]);
  });

  test('every container is looked at, one without an image too', () => {
    const spec = { initContainers: [{ name: 'first', image: 'app:1' }], containers: [{}, { name: 'last' }] };
    expect(unpinned(deployment({ spec })).map(({ what }) => what)).toEqual([
      'initContainers[first].image is "app:1": the tag "1" may move to another image',
      'containers[].image is missing: without a tag it means the newest image',
      'containers[last].image is missing: without a tag it means the newest image',
    ]);
  });

  test.each([{ labels: { 'sidecar.istio.io/inject': 'true' } }, { labels: { 'istio.io/rev': 'default' } }])(
    "auto is the proxy's where Istio injects one: %j",
    (metadata) => {
      expect(unpinned(withContainer({ image: 'auto' }, { metadata }))).toEqual([]);
      expect(unpinned(withContainer({ image: 'automatic' }, { metadata }))).toHaveLength(1);
    },
  );

  test.each([
    {},
    { labels: { 'sidecar.istio.io/inject': 'false' } },
    { annotations: { 'istio.io/rev': 'default' } },
    { annotations: { 'inject.istio.io/templates': 'gateway' } },
  ])('auto is an image like others where it does not: %j', (metadata) => {
    expect(unpinned(withContainer({ image: 'auto' }, { metadata }))).toHaveLength(1);
  });
});

describe('resources', () => {
  const lacks = (paths: string) => [
    { what: `containers[app].resources lacks ${paths}`, fix: 'set what is missing' },
  ];
  const whole = { requests: { cpu: '1m', memory: '1Mi' }, limits: { memory: '1Mi' } };
  const without = (resources: unknown, labels: object = {}) =>
    unlimited(deployment({ spec: { containers: [{ name: 'app', resources }] } }, labels));

  test.each([
    [undefined, 'requests.cpu, requests.memory, limits.memory'],
    [{ ...whole, limits: { cpu: '1' } }, 'limits.memory'],
    [{ ...whole, requests: { memory: '1Mi' } }, 'requests.cpu'],
    [{ ...whole, requests: { cpu: '1m' } }, 'requests.memory'],
  ])('%j', (resources, paths) => {
    expect(without(resources)).toEqual(lacks(paths));
  });

  test("Istio's components have no limit of memory", () => {
    const labels = { 'operator.istio.io/component': 'Pilot' };
    expect(without({ requests: whole.requests }, labels)).toEqual([]);
    expect(without({}, labels)).toEqual(lacks('requests.cpu, requests.memory'));
    expect(without(whole)).toEqual([]);
  });
});

describe('what belongs to the node', () => {
  const fix = 'remove it: the pod would share what belongs to the node';
  const user = 'run as a user other than root';

  test('all of it, of the pod and of every container', () => {
    const context = { runAsUser: 0, runAsNonRoot: false };
    const container = {
      ports: [{ containerPort: 80 }, { hostPort: 80 }, { hostPort: 0 }],
      securityContext: {
        ...context,
        privileged: true,
        allowPrivilegeEscalation: true,
        capabilities: { add: ['NET_BIND_SERVICE', 'NET_ADMIN', 'ALL'], drop: ['ALL'] },
      },
    };
    const spec = {
      ...{ hostNetwork: true, hostPID: true, hostIPC: true, securityContext: context },
      volumes: [
        { name: 'logs', hostPath: { path: '/var/log' } },
        { hostPath: { path: '/' } },
        { name: 'tmp', emptyDir: {} },
      ],
      initContainers: [{ name: 'first', ...container }],
      containers: [{ name: 'app' }],
    };
    const where = 'initContainers[first]';
    expect(reachesNode(deployment({ spec }))).toEqual([
      { what: 'hostNetwork is set', received: true, fix },
      { what: 'hostPID is set', received: true, fix },
      { what: 'hostIPC is set', received: true, fix },
      { what: 'volumes[logs] is a folder of the node', received: '/var/log', fix },
      { what: 'volumes[] is a folder of the node', received: '/', fix },
      { what: 'securityContext.runAsUser is root', received: 0, fix: user },
      {
        what: 'securityContext.runAsNonRoot is false: the container may run as root',
        received: false,
        fix: user,
      },
      { what: `${where} takes a port of the node`, received: 80, fix },
      { what: `${where} takes a port of the node`, received: 0, fix },
      { what: `${where}.securityContext.runAsUser is root`, received: 0, fix: user },
      {
        what: `${where}.securityContext.runAsNonRoot is false: the container may run as root`,
        received: false,
        fix: user,
      },
      { what: `${where}.securityContext.privileged is set`, received: true, fix: 'remove it' },
      { what: `${where}.securityContext.allowPrivilegeEscalation is set`, received: true, fix: 'remove it' },
      ...['NET_ADMIN', 'ALL'].map((received) => ({
        what: `${where}.securityContext.capabilities.add goes beyond what the level restricted allows`,
        received,
        allowed: 'NET_BIND_SERVICE',
        fix: 'remove it',
      })),
    ]);
  });

  test('what the level restricted asks for, and what is off, is not against it', () => {
    const securityContext = {
      ...{ runAsUser: 1000, runAsNonRoot: true, privileged: false, allowPrivilegeEscalation: false },
      capabilities: { add: ['NET_BIND_SERVICE'] },
    };
    const spec = {
      ...{ hostNetwork: false, hostPID: false, hostIPC: false, securityContext },
      containers: [{ name: 'app', securityContext }],
    };
    expect(reachesNode(deployment({ spec }))).toEqual([]);
  });
});

test('variables that load code are told by their container', () => {
  const env = [{ name: 'LD_PRELOAD', value: '/x.so' }, { name: 'PORT' }, {}];
  const spec = { initContainers: [{ name: 'first', env }], containers: [{ name: 'app', env }] };
  expect(unsafeEnvironment(deployment({ spec }))).toEqual(
    ['initContainers[first]', 'containers[app]'].map((where) => ({
      what: `${where}.env loads code into the program, or changes how it is loaded`,
      received: 'LD_PRELOAD',
      fix: 'remove it',
    })),
  );
});

describe('past the proxy', () => {
  const fix = 'remove it, and declare what may be called with calls, callsExternal or MutualTls';
  const annotated = (
    annotations: object,
    labels: object = {},
    containers: readonly object[] = [{ name: 'app' }],
  ) => passesProxy(deployment({ metadata: { annotations, labels }, spec: { containers } }));

  test.each([
    'traffic.sidecar.istio.io/excludeInboundPorts',
    'traffic.sidecar.istio.io/excludeOutboundIPRanges',
    'traffic.sidecar.istio.io/includeInboundPorts',
    'traffic.sidecar.istio.io/includeOutboundIPRanges',
    'sidecar.istio.io/interceptionMode',
    'sidecar.istio.io/bootstrapOverride',
    'sidecar.istio.io/proxyImage',
    'sidecar.istio.io/discoveryAddress',
    'traffic.sidecar.istio.io/kubevirtInterfaces',
    'proxy.istio.io/overrides',
    'istio.io/reroute-virtual-interfaces',
  ])('by the annotation %s', (name) => {
    expect(annotated({ [name]: '80' })).toEqual([
      { what: `the annotation ${name} lets traffic bypass the proxy`, received: '80', fix },
    ]);
    // All of it is redirected.
    expect(annotated({ [name]: '*' })).toEqual([]);
    expect(annotated({}, { [name]: '80' })).toEqual([]);
  });

  test.each([
    'x.traffic.sidecar.istio.io/excludeInboundPorts',
    'x.sidecar.istio.io/interceptionMode',
    'sidecar.istio.io/interceptionModes',
    'sidecar.istio.io/proxyCPU',
    'x.proxy.istio.io/overrides',
    'proxy.istio.io/overridesX',
    'x.istio.io/reroute-virtual-interfaces',
  ])('the annotation %s is about something else', (name) => {
    expect(annotated({ [name]: '80' })).toEqual([]);
  });

  test('without a proxy, by annotation and by label', () => {
    const off = { 'sidecar.istio.io/inject': 'false' };
    const on = { 'sidecar.istio.io/inject': 'true' };
    expect(annotated(off, off)).toEqual(
      ['annotation', 'label'].map((kind) => ({
        what: `the ${kind} sidecar.istio.io/inject leaves the pods without a proxy`,
        received: 'false',
        fix,
      })),
    );
    expect(annotated(on, on)).toEqual([]);
  });

  test("as the proxy's own user, in the pod or in a container, but for the proxy itself", () => {
    const securityContext = { runAsUser: 1337, runAsGroup: 1337 };
    const spec = {
      securityContext: { runAsUser: 1337, runAsGroup: 1000 },
      initContainers: [{ name: 'first', securityContext: { runAsGroup: 1337 } }],
      containers: [
        { name: 'istio-proxy', securityContext },
        { name: 'app', securityContext },
      ],
    };
    expect(passesProxy(deployment({ spec }))).toEqual(
      [
        'securityContext.runAsUser',
        'initContainers[first].securityContext.runAsGroup',
        'containers[app].securityContext.runAsUser',
        'containers[app].securityContext.runAsGroup',
      ].map((where) => ({
        what: `${where} is the user id of the proxy, whose traffic bypasses the proxy`,
        received: 1337,
        fix: 'choose another',
      })),
    );
  });

  test.each(['gateway', 'gateway,own', ''])('by the template %j, beside an app', (received) => {
    const templates = { 'inject.istio.io/templates': received };
    expect(annotated(templates, {}, [{ name: 'istio-proxy' }, { name: 'app' }])).toEqual([
      {
        what: 'the annotation inject.istio.io/templates gives the pods a proxy that their traffic bypasses',
        received,
        fix: 'remove it, or keep a gateway in pods of its own',
      },
    ]);
    expect(annotated(templates, {}, [{ name: 'istio-proxy' }])).toEqual([]);
  });

  test("with a proxy that is not the mesh's, in the place of the one that Istio injects", () => {
    const proxy = (image?: string, name = 'istio-proxy') => ({ name, ...(image !== undefined && { image }) });
    const spec = {
      initContainers: [proxy('own:1.2.3')],
      containers: [proxy('auto'), proxy(), proxy('own:1.2.3', 'app')],
    };
    expect(passesProxy(deployment({ spec }))).toEqual([
      {
        what: "initContainers[istio-proxy].image replaces the mesh's proxy, regardless of the control plane's version",
        received: 'own:1.2.3',
        fix: 'use auto, or remove the container',
      },
    ]);
  });

  test.each(['sidecar', 'own, sidecar '])("the template %j is the sidecar's", (received) => {
    expect(annotated({ 'inject.istio.io/templates': received })).toEqual([]);
  });
});
