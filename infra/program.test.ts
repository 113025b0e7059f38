import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as pulumi from '@pulumi/pulumi';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shop } from '../charts/shop.ts';
import { synthesize } from '../charts/synth.ts';
import { describe as name, labelManaged } from './kube-object.ts';
import type { KubeObject } from './kube-object.ts';
import { resourceName, typeToken } from './kubernetes-resource.ts';
import { planMesh } from './plan.ts';
import type { Plan } from './plan.ts';
import { deployMesh } from './program.ts';
import { readerAccount } from './remote-secret.ts';
import { cacertsSecret, ensureTrust } from './trust.ts';
import type { ClusterTrust } from './trust.ts';
import { waves } from './waves.ts';

/** A registration as the engine receives it. */
interface Registered {
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  readonly provider: string;
  readonly dependencies: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly secretOutputs: readonly string[];
  readonly urn: string;
  /** The properties on the wire: secrets are marked there. */
  readonly wire: Record<string, unknown>;
  readonly inputs: Record<string, unknown>;
}

const secretMark = '4dabf18193072939515e22adb298388d';
const release: readonly KubeObject[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'istiod', namespace: 'istio-system' } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: readerAccount, namespace: 'istio-system' } },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'istio-validator' },
    webhooks: [{ name: 'rev.validation.istio.io', failurePolicy: 'Ignore' }],
  },
].map((object) => labelManaged(object, 'shop'));

let folder: string;
let plan: Plan;
let trust: Readonly<Record<string, ClusterTrust>>;
let registered: readonly Registered[];
let outputs: Readonly<Record<string, { ingress: string | undefined; eastWest: string | undefined }>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'program-'));
  const mesh = shop(join(import.meta.dirname, '..'));
  plan = planMesh(mesh.model(), synthesize(mesh));
  trust = await ensureTrust(folder, plan.mesh, plan.clusters, plan.controlPlaneNamespace);
  const recorded = await recordResources();
  const deployed = deployMesh({
    plan,
    model: mesh.model(),
    access: Object.fromEntries(
      plan.clusters.map((cluster) => [cluster, { kubeconfig: '/kube/config', context: `ctx-${cluster}` }]),
    ),
    servers: Object.fromEntries(plan.clusters.map((cluster) => [cluster, `https://${cluster}.example:6443`])),
    releases: Object.fromEntries(plan.clusters.map((cluster) => [cluster, release])),
    trust,
  });
  outputs = Object.fromEntries(
    await Promise.all(
      Object.entries(deployed).map(async ([cluster, { ingress, eastWest }]) => {
        return [cluster, { ingress: await valueOf(ingress), eastWest: await valueOf(eastWest) }] as const;
      }),
    ),
  );
  await pulumi.runtime.disconnect();
  registered = recorded;
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const stageType = 'meshwright:infra:Stage';

describe('the Pulumi program', () => {
  test('has an explicit provider per cluster and a component per stage and cluster', () => {
    const of = (type: string) => registered.filter((resource) => resource.type === type);
    expect(of('pulumi:providers:kubernetes').map(({ name: made, inputs }) => [made, inputs])).toEqual(
      plan.clusters.map((cluster) => [
        cluster,
        {
          kubeconfig: '/kube/config',
          context: `ctx-${cluster}`,
          enableServerSideApply: 'true',
          enablePatchForce: 'true',
          upsertExistingObjects: 'true',
        },
      ]),
    );
    expect(
      of(stageType)
        .map((stage) => stage.name)
        .toSorted(),
    ).toEqual(plan.steps.map(({ cluster, stage }) => `${cluster}/${stage}`).toSorted());
  });

  test('declares under each stage the objects that the apply driver applies, and no others', () => {
    for (const step of plan.steps) {
      const planned = [
        ...step.secrets.map(
          ({ namespace, name: secret }) => `kubernetes:core/v1:Secret ${step.cluster}/${namespace}/${secret}`,
        ),
        ...[...(step.releases.length === 0 ? [] : release), ...step.objects].map(
          (object) => `${typeToken(object)} ${step.cluster}/${resourceName(object)}`,
        ),
      ];
      const token = `kubernetes:core/v1:Secret ${step.cluster}/istio-system/${readerAccount}-istio-remote-secret-token`;
      const children = registered.filter(({ parent }) =>
        parent.endsWith(`${stageType}::${step.cluster}/${step.stage}`),
      );
      expect(children.map((child) => `${child.type} ${child.name}`).toSorted()).toEqual(
        [...planned, ...(step.releases.length === 0 ? [] : [token])].toSorted(),
      );
    }
  });

  test("gives every object its cluster's provider, its fields unchanged and a name of its own", () => {
    const applied = plan.steps.flatMap((step) =>
      step.objects.map((object) => ({ cluster: step.cluster, object })),
    );
    for (const { cluster, object } of applied) {
      const found = registered.filter(
        (one) => one.type === typeToken(object) && one.name === `${cluster}/${resourceName(object)}`,
      );
      expect([name(object), found.length]).toEqual([name(object), 1]);
      expect(found[0]?.inputs).toEqual(JSON.parse(JSON.stringify(object)));
      expect(found[0]?.provider).toContain(`pulumi:providers:kubernetes::${cluster}::`);
    }
    const urns = registered.map(({ urn }) => urn);
    expect(new Set(urns).size).toBe(urns.length);
  });

  test('orders as the apply driver does: a wave after the wave before it, a stage after the stages it waits for', () => {
    const urn = (cluster: string, object: KubeObject) =>
      registered.find(
        (one) => one.type === typeToken(object) && one.name === `${cluster}/${resourceName(object)}`,
      )?.urn ?? '';
    for (const step of plan.steps) {
      const [first = [], ...later] = waves(step.objects);
      let previous = first;
      for (const wave of later) {
        for (const object of wave) {
          const depends = registered.find((one) => one.urn === urn(step.cluster, object))?.dependencies ?? [];
          expect(depends).toEqual(
            expect.arrayContaining(previous.map((before) => urn(step.cluster, before))),
          );
        }
        previous = wave;
      }
    }
    const gateway = registered.find(
      (one) =>
        one.type === 'kubernetes:core/v1:Secret' && one.name === 'east/istio-system/istio-remote-secret-west',
    );
    const istiods = plan.clusters.map((cluster) => urn(cluster, release[0]!));
    expect(gateway?.dependencies).toEqual(expect.arrayContaining(istiods));
  });

  test('opens each cluster to the other with the token that the other one made', () => {
    const secret = registered.find((one) => one.name === 'east/istio-system/istio-remote-secret-west');
    const data = (secret?.inputs['data'] ?? {}) as Record<string, string>;
    const kubeconfig = Buffer.from(data['west'] ?? '', 'base64').toString('utf8');
    expect(kubeconfig).toContain('server: https://west.example:6443');
    expect(kubeconfig).toContain('token: token-of-west');
    expect(kubeconfig).toContain(Buffer.from('ca-of-west').toString('base64'));
  });

  test('no secret is in plaintext in anything the engine is told', () => {
    const secrets = registered.filter(
      ({ type, wire }) => type === 'kubernetes:core/v1:Secret' && wire['data'] !== undefined,
    );
    expect(secrets).toHaveLength(4);
    for (const { wire, secretOutputs } of secrets) {
      expect(wire['data']).toMatchObject({ [secretMark]: '1b47061264138c4ac30d75fd1eb44270' });
      expect(secretOutputs).toEqual(['data']);
    }
    const plain = JSON.stringify(
      registered.map(({ wire }) => ({
        ...wire,
        data: isSecret(wire['data']) ? 'marked as a secret' : wire['data'],
      })),
    );
    for (const cluster of plan.clusters) {
      const key = (cacertsSecret('shop', 'istio-system', trust[cluster]!)['data'] as Record<string, string>)[
        'ca-key.pem'
      ];
      expect(plain).not.toContain(key);
      expect(plain).not.toContain(`token-of-${cluster}`);
    }
    expect(plain).not.toContain('PRIVATE KEY');
  });

  test('leaves to istiod what it fills in', () => {
    const webhooks = registered.filter(({ type }) => type.endsWith(':ValidatingWebhookConfiguration'));
    expect(webhooks.map(({ ignoreChanges }) => ignoreChanges)).toEqual(
      plan.clusters.map(() => ['webhooks[*].clientConfig.caBundle', 'webhooks[*].failurePolicy']),
    );
  });

  test("gives out the gateways' addresses", () => {
    expect(outputs).toEqual({
      east: { ingress: 'address-of-east/istio-ingress', eastWest: 'address-of-east/istio-eastwest' },
      west: { ingress: 'address-of-west/istio-ingress', eastWest: 'address-of-west/istio-eastwest' },
    });
  });
});

/** Runs the engine's side: records every registration as it is on the wire, and answers as the provider would. */
async function recordResources(): Promise<readonly Registered[]> {
  const base64 = (value: string) => Buffer.from(value).toString('base64');
  await pulumi.runtime.setMocks({
    call: ({ inputs }) => inputs as Record<string, unknown>,
    newResource: ({ type, name: made, inputs }) => {
      const [cluster = '', namespace = ''] = made.split('/');
      const state = { ...(inputs as Record<string, unknown>) };
      if (type === 'kubernetes:core/v1:Service')
        state['status'] = { loadBalancer: { ingress: [{ hostname: `address-of-${cluster}/${namespace}` }] } };
      if (state['type'] === 'kubernetes.io/service-account-token') {
        state['data'] = { token: base64(`token-of-${cluster}`), 'ca.crt': base64(`ca-of-${cluster}`) };
      }
      return { id: `${made}-id`, state };
    },
  });
  const seen: Registered[] = [];
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource: (
      request: RegisterResourceRequest,
      callback: (error: unknown, answer: RegisterResourceResponse) => void,
    ) => Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, answer) => {
      const wire = request.getObject()?.toJavaScript() ?? {};
      seen.push({
        type: request.getType(),
        name: request.getName(),
        parent: request.getParent(),
        provider: request.getProvider(),
        dependencies: request.getDependenciesList(),
        ignoreChanges: request.getIgnorechangesList(),
        secretOutputs: request.getAdditionalsecretoutputsList(),
        urn: answer.getUrn(),
        wire,
        inputs: unwrap(wire) as Record<string, unknown>,
      });
      callback(error, answer);
    });
  return seen;
}

interface RegisterResourceRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}
interface RegisterResourceResponse {
  getUrn(): string;
}

/** The value with its secrets opened. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== 'object' || value === null) return value;
  if (isSecret(value)) return unwrap((value as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

function isSecret(value: unknown): boolean {
  return typeof value === 'object' && value !== null && secretMark in value;
}

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}
