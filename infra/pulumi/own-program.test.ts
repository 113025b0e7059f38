import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { declare, hole, lab, Mesh } from '../../charts/index.ts';
import { catalogIn, clusters } from '../../charts/testing/mesh.ts';
import { playControllers } from '../testing/controllers.ts';
import { KubeApi } from '../testing/kube-api.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { quickLimits } from '../testing/limits.ts';
import { root, writeIstioctl } from '../testing/meshes.ts';
import { isSecret, runInEngine, type Registered } from '../testing/pulumi-engine.ts';
import { providerSettings, runStack } from './index.ts';
import { runProgram } from './mesh-program.ts';
import type { ProgramInputs } from './program-inputs.ts';

const names = Object.keys(clusters);
const declaration = declare({
  environments: {
    prod: { platform: { ...lab, imageHub: `${hole('registry')}/shop` } },
  },
  mesh: ({ values: { platform } }) => {
    const mesh = new Mesh('demo', { root, trustDomain: 'demo.example', clusters, platform });
    catalogIn(mesh.namespace('shop'));
    return mesh;
  },
});

/** A cluster of a cloud, which knows its kubeconfig once it is made. */
class CloudCluster extends pulumi.CustomResource {
  declare readonly kubeconfig: pulumi.Output<string>;
  declare readonly registry: pulumi.Output<string>;
  constructor(name: string) {
    super('cloud:index:Cluster', name, { kubeconfig: undefined, registry: undefined });
  }
}

/** What a team's own program does: makes the clusters, and the mesh on them. */
function inputs(settings: object = providerSettings): ProgramInputs & { readonly values: object } {
  const made = names.map((name) => [name, new CloudCluster(name)] as const);
  const registry = made[0]![1].registry;
  return {
    values: { registry },
    clusters: Object.fromEntries(
      made.map(([name, cluster]) => {
        const kubeconfig = pulumi.secret(cluster.kubeconfig);
        return [
          name,
          { kubeconfig, provider: new kubernetes.Provider(`own-${name}`, { kubeconfig, ...settings }) },
        ];
      }),
    ),
  };
}

describe("a team's own program", () => {
  let folder: string;
  let apis: ReadonlyMap<string, KubeApi>;
  let config: Record<string, string>;
  const texts = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'own-program-'));
    apis = new Map(await Promise.all(names.map(async (name) => [name, await KubeApi.start(name)] as const)));
    for (const [name, api] of apis) {
      playControllers(api, name);
      const kubeconfig = parse(readFileSync(api.kubeconfig, 'utf8')) as object;
      texts.set(name, stringify({ ...kubeconfig, 'current-context': name }));
    }
    config = { istioctl: writeIstioctl(folder), trustDir: join(folder, 'trust') };
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await Promise.all([...apis.values()].map((api) => api.stop()));
  });
  afterEach(() => {
    jest.restoreAllMocks();
    pulumi.runtime.setAllConfig({});
  });

  const lines: string[] = [];
  const run = (
    given: () => ProgramInputs,
    { preview = false, of = config }: { preview?: boolean; of?: Readonly<Record<string, string>> } = {},
  ) =>
    runInEngine(
      () =>
        runProgram({
          declare: (filled) => declaration.mesh({ root, environment: 'prod', filled }),
          root,
          get: (key) => of[key],
          report: (line) => lines.push(line),
          inputs: given(),
          limits: quickLimits,
        }),
      async (name, object) => {
        const { client } = apis.get(name)!;
        if (preview) return object;
        await client.apply(object as unknown as KubeObject);
        return (await client.get(object as unknown as KubeObject)) as unknown as Record<string, unknown>;
      },
      preview,
      (type, name) =>
        type === 'cloud:index:Cluster' && !preview
          ? { kubeconfig: texts.get(name), registry: 'registry.example' }
          : {},
    );
  const objectsOf = (all: readonly Registered[]) => all.filter(({ type }) => /^kubernetes:.*\//.test(type));
  const images = (all: readonly Registered[]) =>
    JSON.stringify(
      all.filter(({ type }) => type === 'kubernetes:apps/v1:Deployment').map((one) => one.inputs),
    );
  const refusal = async (given: () => ProgramInputs, of?: Readonly<Record<string, string>>) => {
    const failing = runInEngine(
      async () => {
        const error = await runProgram({
          declare: (filled) => declaration.mesh({ root, environment: 'prod', filled }),
          root,
          get: (key) => (of ?? config)[key],
          report: () => undefined,
          inputs: given(),
        }).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(pulumi.RunError);
        return (error as Error).message;
      },
      (_, object) => object,
      false,
      (type, name) =>
        type === 'cloud:index:Cluster' ? { kubeconfig: texts.get(name), registry: 'registry.example' } : {},
    );
    return (await failing).result;
  };
  let planned: readonly Registered[];

  test('is planned as a whole before its clusters are there: no cluster is asked, and it says so once', async () => {
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    for (const api of apis.values()) api.requests.length = 0;
    planned = (await run(inputs, { preview: true })).registered;
    expect([...apis.values()].flatMap((api) => api.requests)).toEqual([]);
    expect(warn.mock.calls).toEqual([
      [
        'warning: [runtime] The clusters were not checked: the kubeconfig or apiServer of east, west is not known before the update. This preview plans every object, and its checks ask no cluster.\n' +
          'Not known before the update: registry. The markers of these holes stand in the objects of this preview.',
      ],
    ]);
    expect(images(planned)).toContain('registry.hole.invalid/shop/catalog');
  });

  test('makes the mesh by its own providers, each object under the component of its cluster', async () => {
    const { registered, outputs, result } = await run(inputs);
    // All that the preview planned, and nothing else.
    expect(registered.map(({ urn }) => urn).toSorted()).toEqual(planned.map(({ urn }) => urn).toSorted());
    const objects = objectsOf(registered);
    expect(objects.length).toBeGreaterThan(60);
    const byUrn = new Map(registered.map((one) => [one.urn, one]));
    for (const { name, provider, parent } of objects) {
      const [cluster = ''] = name.split('/');
      expect([name, provider]).toEqual([name, expect.stringMatching(`::own-${cluster}::own-${cluster}-id$`)]);
      const stage = byUrn.get(parent);
      expect([name, byUrn.get(stage?.parent ?? '')?.name]).toEqual([name, cluster]);
    }
    const providers = registered.filter(({ type }) => type === 'pulumi:providers:kubernetes');
    expect(providers.map(({ name }) => name).toSorted()).toEqual(['own-east', 'own-west']);
    expect(images(registered)).toContain('registry.example/shop/catalog');
    expect(Object.values(result.clusters).map(({ context }) => context)).toEqual(names);
    // The program's own provider holds the kubeconfig, as it was given: as a secret. Nothing of ours does.
    expect(providers.map(({ wire }) => isSecret(wire['kubeconfig']))).toEqual([true, true]);
    const ours = registered.filter((one) => !providers.includes(one) && !one.type.startsWith('cloud:'));
    const said = JSON.stringify([ours, [...outputs.values()], result, lines]);
    for (const text of texts.values()) {
      const { users } = parse(text) as { users: { user: Record<string, string> }[] };
      const held = users.flatMap(({ user }) => Object.values(user));
      expect(held.length).toBeGreaterThan(0);
      expect(held.filter((secret) => said.includes(secret))).toEqual([]);
    }
    expect(said).not.toContain('hole.invalid');
  });

  test('gives what the stack does not have, by the environment that it asks for', async () => {
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [`meshwright:${key}`, value])),
    );
    jest.spyOn(console, 'warn').mockReturnValue();
    const { registered } = await runInEngine(
      () => runStack(declaration, root, { ...inputs(), environment: 'prod' }),
      (_, object) => object,
      true,
    );
    expect(registered.map(({ urn }) => urn)).toEqual(planned.map(({ urn }) => urn));
    const { result } = await runInEngine(
      () =>
        runStack(declaration, root, { environment: 'prd' as 'prod' }).catch((error: unknown) =>
          error instanceof pulumi.RunError ? error.message : error,
        ),
      (_, object) => object,
      true,
    );
    expect(result).toBe(
      'runStack: environment: mesh.ts declares no environment of this name; received "prd"; allowed prod; fix: did you mean prod?',
    );
  });

  test('is refused what would be shown, what is none, and providers that would replace what is there, all at once', async () => {
    const text = 'users: [secret-token';
    const given = (): ProgramInputs => {
      const made = inputs({
        enableServerSideApply: true,
        enablePatchForce: true,
        upsertExistingObjects: false,
      });
      const { east, west } = made.clusters!;
      return {
        values: { registry: pulumi.secret('registry.example'), issuer: 5 as unknown as string },
        clusters: {
          east: { ...east!, kubeconfig: { users: [] } as unknown as string },
          west: {
            ...west!,
            provider: JSON.parse('{}') as kubernetes.Provider,
            apiServer: 'http://a',
            kubeconfig: text,
          },
        },
      };
    };
    const fix = 'fix: make it by new kubernetes.Provider(NAME, { kubeconfig, ...providerSettings })';
    expect(await refusal(given)).toBe(
      [
        'runStack: values.registry: is a secret, and would be shown in plaintext in objects of the clusters; allowed a host, or an https URL; fix: if it is none, give pulumi.unsecret(...)',
        'runStack: values.issuer: is not a string; received 5; allowed a host, or an https URL',
        'runStack: clusters.east.kubeconfig: is not a string; allowed the text of a kubeconfig in YAML or JSON; pulumi.jsonStringify(...) makes one of an object',
        `runStack: clusters.east.provider: is made without upsertExistingObjects, enableSecretMutable, enableConfigMapMutable; ${fix}`,
        'runStack: clusters.west.apiServer: is not an https URL; received "http://a"; allowed https://HOST:PORT',
        `runStack: clusters.west.provider: is not a Kubernetes provider; ${fix}`,
      ].join('\n'),
    );
  });

  test('may give a value that the stack has, too, which a preview takes until it is known', async () => {
    const of = { ...config, values: JSON.stringify({ registry: 'registry.example' }) };
    const warn = jest.spyOn(console, 'warn').mockReturnValue();
    const { registered } = await run(inputs, { preview: true, of });
    expect(warn.mock.calls).toEqual([
      [
        'warning: [runtime] The clusters were not checked: the kubeconfig or apiServer of east, west is not known before the update. This preview plans every object, and its checks ask no cluster.\n' +
          'Not known before the update: registry. This preview takes what the stack configuration has, and the update compares the two.',
      ],
    ]);
    expect(images(registered)).toContain('"registry.example/shop/catalog');
    expect(images((await run(inputs, { of })).registered)).toContain('"registry.example/shop/catalog');
  });

  test('is refused a secret among the values of the stack, of which objects would show the text', async () => {
    const values = { 'meshwright:values': JSON.stringify({ registry: 'registry.example' }) };
    pulumi.runtime.setAllConfig(values, Object.keys(values));
    const { result } = await runInEngine(
      () =>
        runStack(declaration, root, { environment: 'prod' }).catch((error: unknown) =>
          error instanceof pulumi.RunError ? error.message : error,
        ),
      (_, object) => object,
    );
    expect(result).toBe(
      "stack configuration: values: holds a secret, and would be shown in plaintext in objects of the clusters; allowed hosts and https URLs, in plaintext; fix: if it is none, pulumi config set --plaintext --path 'meshwright:values.NAME' VALUE",
    );
  });

  test('is refused one provider for two clusters, and one of another server than the kubeconfig', async () => {
    const server = (name: string) =>
      (parse(texts.get(name)!) as { clusters: { cluster: { server: string } }[] }).clusters[0]!.cluster
        .server;
    const given = (): ProgramInputs => {
      const { values, clusters: made } = inputs();
      const { east, west } = made!;
      return { values, clusters: { east: east!, west: { ...west!, provider: east!.provider } } };
    };
    expect(await refusal(given)).toBe(
      [
        `runStack: clusters.west.provider: reaches another server than the kubeconfig that the cluster is checked by; received "${server('east')}"; allowed ${server('west')}; fix: give both the same kubeconfig, and its context as clusters.west.context`,
        'runStack: clusters.west.provider: is also that of clusters.east, and makes objects in one cluster alone; allowed a provider for each cluster; fix: make it by new kubernetes.Provider(NAME, { kubeconfig, ...providerSettings })',
      ].join('\n'),
    );
  });

  test('is refused another value than the stack has, clusters that it has too or the mesh does not have, and values without a hole', async () => {
    const both = { ...config, values: JSON.stringify({ registry: 'a.example' }) };
    expect(await refusal(inputs, both)).toBe(
      'runStack: values.registry: differs from meshwright:values.registry of the stack configuration; received "registry.example"; allowed a.example; fix: correct one of the two, or remove it',
    );
    const hidden = { ...config, values: JSON.stringify({ registry: 'a.example?token=abc' }) };
    expect(await refusal(inputs, hidden)).toBe(
      'runStack: values.registry: differs from meshwright:values.registry of the stack configuration; fix: correct one of the two, or remove it',
    );
    const access = { kubeconfig: '/k', context: 'c' };
    const given = (): ProgramInputs => {
      const { values, clusters: made } = inputs();
      return { values, clusters: { east: made!['east']!, wset: made!['west']! } };
    };
    expect(await refusal(given, { ...config, clusters: JSON.stringify({ east: access }) })).toBe(
      [
        'runStack: clusters.east: is also in the stack configuration, as meshwright:clusters.east; fix: remove one of the two',
        'runStack: clusters.wset: is not a cluster of the mesh; allowed east, west; fix: did you mean west?',
        "stack configuration: clusters.west: is missing; fix: pulumi config set --path 'meshwright:clusters.west.context' CONTEXT (and .kubeconfig FILE)",
      ].join('\n'),
    );
    expect(await refusal(() => ({ ...inputs(), values: { regstry: 'registry.example' } }))).toBe(
      [
        'runStack: values.registry: is missing: environment prod of mesh.ts has a hole of this name; allowed HOST or HOST:PORT, in lower case, such as registry.example:5000; fix: give it as meshwright:values.registry',
        'runStack: values.regstry: fills no hole: environment prod of mesh.ts has none of this name; allowed registry; fix: did you mean registry?',
      ].join('\n'),
    );
  });

  test('does not show a kubeconfig that cannot be read', async () => {
    const given = (text: string) => (): ProgramInputs => {
      const made = inputs();
      return {
        ...made,
        clusters: { ...made.clusters, east: { ...made.clusters!['east']!, kubeconfig: text } },
      };
    };
    expect(await refusal(given('users: [{ token: secret-token'))).toBe(
      'cluster east: the kubeconfig that the program gives cannot be parsed; allowed a kubeconfig (v1 Config) in YAML or JSON',
    );
    expect(await refusal(given('{}'))).toBe(
      'cluster east: the kubeconfig that the program gives has no such context; received ""; allowed a context of the file, which has none',
    );
  });
});
