import { describe, expect, test } from '@jest/globals';
import { homedir } from 'node:os';
import { throwIfAny } from '../../core/problem.ts';
import { missingClusters, parseConfig, readConfig, runningStack, writeConfig } from './stack-config.ts';

const access = { kubeconfig: '/k', context: 'c' };
const config = parseConfig(
  {
    clusters: { east: access, west: { ...access, apiServer: 'https://10.0.0.5:6443' } },
    istioctl: '/bin/istioctl',
    trustDir: '/trust',
    trust: { generation: 2, phase: 'add-root', intermediate: 3 },
    remoteAccess: { generation: 2, tokenDays: 7 },
    values: { registry: 'registry.example' },
    labImages: { 'registry.example/cart:1.4.0': 'build/cart.tar' },
  },
  '/project',
  'test',
);
const read = (values: Readonly<Record<string, string>>) => {
  const found = readConfig((key) => values[key], '/project');
  throwIfAny(missingClusters(found, ['east', 'west'], runningStack));
  return found;
};
const missing = (name: string) =>
  `stack configuration: clusters.${name}: is missing; fix: pulumi config set --path 'meshwright:clusters.${name}.context' CONTEXT (and .kubeconfig FILE)`;
const clusters = 'allowed {NAME: {kubeconfig: FILE, context: CONTEXT, apiServer?: https://HOST:PORT}}';

describe('stack configuration', () => {
  test('is read as it was written', () => {
    expect(read(writeConfig(config))).toEqual(config);
  });

  test('has a volume with the CAs in place of counters', () => {
    const csi = { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'mesh-ca' } };
    const { trust } = parseConfig({ trust: { csi } }, '/project', 'test');
    expect(trust).toEqual({ generation: 1, intermediate: 1, csi });
    const plain = parseConfig({ trust: { csi: { driver: 'vault.example' } } }, '/project', 'test');
    expect(plain.trust.csi).toEqual({ driver: 'vault.example', volumeAttributes: {} });
    const written = writeConfig(plain);
    expect(readConfig((key) => written[key], '/project')).toEqual(plain);
  });

  test('has an issuer of cert-manager in place of counters', () => {
    const issued = (issuer: object) =>
      parseConfig({ clusters: config.access, trust: { issuer } }, '/project', 'test');
    const plain = issued({ name: 'mesh-ca' });
    expect(plain.trust.issuer).toEqual({ name: 'mesh-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' });
    expect(read(writeConfig(plain))).toEqual(plain);
    const external = issued({ name: 'pca', kind: 'AWSPCAClusterIssuer', group: 'awspca.cert-manager.io' });
    expect(read(writeConfig(external))).toEqual(external);
  });

  test('has defaults for all but the clusters', () => {
    expect(read({ clusters: JSON.stringify(config.access) })).toEqual({
      access: config.access,
      istioctl: 'istioctl',
      trustDir: '/project/.meshwright/trust',
      trust: { generation: 1, intermediate: 1 },
      remoteAccess: { generation: 1, tokenDays: 30 },
      values: {},
      labImages: {},
    });
  });

  test("has its files relative to the project, or in the user's folder", () => {
    expect(config.labImages).toEqual({ 'registry.example/cart:1.4.0': '/project/build/cart.tar' });
    const kubeconfig = (path: string) =>
      parseConfig({ clusters: { east: { ...access, kubeconfig: path } } }, '/project', 'test').access['east'];
    expect(kubeconfig('kube/east')?.kubeconfig).toBe('/project/kube/east');
    expect(kubeconfig('~/.kube/config')?.kubeconfig).toBe(`${homedir()}/.kube/config`);
  });

  test.each<[Readonly<Record<string, string>>, readonly string[]]>([
    [{}, [missing('east'), missing('west')]],
    [
      { clusters: '{"east":' },
      [`stack configuration: clusters: expected record, received string; ${clusters}`],
    ],
    [
      { clusters: JSON.stringify({ east: { kubeconfig: '/k' }, west: access }) },
      [`stack configuration: clusters.east.context: expected string, received undefined; ${clusters}`],
    ],
    [{ clusters: JSON.stringify({ east: access }) }, [missing('west')]],
    [
      { clusters: JSON.stringify({ east: access, west: access, wset: access }) },
      [
        'stack configuration: clusters.wset: is not a cluster of the mesh; allowed east, west; fix: did you mean west?',
      ],
    ],
    [
      {
        clusters: JSON.stringify({
          east: { ...access, apiserver: 'x' },
          west: { ...access, apiServer: 'http://x' },
        }),
        trust: JSON.stringify({ generation: 0, phase: 'addroot' }),
        remoteAccess: JSON.stringify({ tokenDays: 1000, genration: 2 }),
      },
      [
        'stack configuration: clusters.east.apiserver: is not a known key; allowed kubeconfig, context, apiServer; fix: did you mean apiServer?',
        `stack configuration: clusters.west.apiServer: invalid url; ${clusters}`,
        'stack configuration: trust.generation: too small: expected number to be >=1; allowed a whole number from 1',
        'stack configuration: trust.phase: invalid option: expected one of "add-root"|"re-issue"|"drop-root"; allowed add-root, re-issue, drop-root, or none',
        'stack configuration: remoteAccess.tokenDays: too big: expected number to be <=365; allowed a number of days from 1 to 365',
        'stack configuration: remoteAccess.genration: is not a known key; allowed generation, tokenDays; fix: did you mean generation?',
      ],
    ],
    [
      {
        clusters: JSON.stringify(config.access),
        trust: JSON.stringify({
          generation: 2,
          phase: 'add-root',
          intermediate: 1,
          issuer: { name: 'mesh-ca' },
        }),
      },
      ['generation', 'phase', 'intermediate'].map(
        (key) =>
          `stack configuration: trust.${key}: cannot be combined with trust.issuer: cert-manager renews what it signs, and the root cannot be changed; allowed issuer alone`,
      ),
    ],
    [
      {
        clusters: JSON.stringify(config.access),
        values: JSON.stringify({ registry: 5000, issuer: { secure: 'AAAB' } }),
      },
      [
        'stack configuration: values.registry: expected string, received number; allowed {HOLE: a host, or an https URL}, as text and in plaintext',
        'stack configuration: values.issuer: expected string, received object; allowed {HOLE: a host, or an https URL}, as text and in plaintext',
      ],
    ],
    [
      {
        clusters: JSON.stringify(config.access),
        trust: JSON.stringify({ issuer: { name: 'Mesh CA', kind: 'VaultIssuer', grup: 'x' }, isuer: 1 }),
      },
      [
        'stack configuration: trust.issuer.name: invalid string: must match pattern /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/; allowed the name of an issuer',
        'stack configuration: trust.issuer.grup: is not a known key; allowed name, kind, group; fix: did you mean group?',
        'stack configuration: trust.issuer.kind: cert-manager has no issuer of this kind; allowed Issuer, ClusterIssuer, or with a group other than cert-manager.io a kind of that group',
        'stack configuration: trust.isuer: is not a known key; allowed generation, phase, intermediate, issuer, csi; fix: did you mean issuer?',
      ],
    ],
  ])('%j', (values, messages) => {
    expect(() => read(values)).toThrow(new Error(messages.join('\n')));
  });
});
