import { describe, expect, test } from '@jest/globals';
import { parseFlags, type ExportFlags } from './export.ts';

const kustomize: ExportFlags = { out: 'mesh', format: 'kustomize', secretStore: 'vault' };
const argocd: ExportFlags = { ...kustomize, format: 'argocd', repo: 'https://git.example.com/gitops.git' };

const plan = { mesh: 'shop' };

describe('export reads', () => {
  test('a store of the whole cluster, with a key for each cluster and secret', () => {
    expect(parseFlags(kustomize, plan)).toEqual({
      store: { kind: 'ClusterSecretStore', name: 'vault', key: 'shop/{cluster}/{secret}' },
      argocd: undefined,
    });
  });

  test('a store of the namespace, with keys of another form', () => {
    const flags = { ...kustomize, secretStore: 'SecretStore/aws.eu-1', secretKey: 'mesh-{cluster}-{secret}' };
    expect(parseFlags(flags, plan).store).toEqual({
      kind: 'SecretStore',
      name: 'aws.eu-1',
      key: 'mesh-{cluster}-{secret}',
    });
  });

  test('none as no store', () => {
    expect(parseFlags({ ...kustomize, secretStore: 'none' }, plan).store).toBeUndefined();
  });

  test('the repository of an ApplicationSet, HEAD and its root unless told otherwise', () => {
    const { repo } = argocd;
    expect(parseFlags(argocd, plan).argocd).toEqual({ repo, revision: 'HEAD', path: '.' });
    expect(parseFlags({ ...argocd, revision: 'v2', path: 'a/b' }, plan).argocd).toEqual({
      repo,
      revision: 'v2',
      path: 'a/b',
    });
    const overSsh = 'git@git.example.com:team/gitops.git';
    expect(parseFlags({ ...argocd, repo: overSsh }, plan).argocd?.repo).toBe(overSsh);
  });
});

const folders = 'allowed such as clusters/mesh; left out for the root of the repository';
const stores =
  'allowed NAME (a ClusterSecretStore), SecretStore/NAME, or the word none to create the Secrets yourself';

test.each<[string, ExportFlags, string]>([
  [
    'a store of an unknown kind',
    { ...kustomize, secretStore: 'Vault/prod' },
    `--secret-store: is not a store of the external-secrets operator; received "Vault/prod"; ${stores}`,
  ],
  [
    'a store of no name',
    { ...kustomize, secretStore: 'SecretStore/' },
    `--secret-store: is not a store of the external-secrets operator; received "SecretStore/"; ${stores}`,
  ],
  [
    'one key for all',
    { ...kustomize, secretKey: 'mesh' },
    '--secret-key: gives several secrets the same key: it has no {cluster} and no {secret}; received "mesh"; allowed such as shop/{cluster}/{secret}, or shop-{cluster}-{secret}',
  ],
  [
    'a key without a store',
    { ...kustomize, secretStore: 'none', secretKey: '{cluster}{secret}' },
    '--secret-key: has no effect without a store; fix: leave it out, or name the store with --secret-store',
  ],
  [
    'flags of the other format',
    { ...kustomize, repo: 'https://git.example.com/a.git', path: 'a' },
    '--repo: has no effect with the format kustomize; fix: leave it out, or add --format argocd\n' +
      '--path: has no effect with the format kustomize; fix: leave it out, or add --format argocd',
  ],
  [
    'an ApplicationSet without a repository, and all else that is wrong',
    { out: 'mesh', format: 'argocd', secretStore: 'a/b/c', path: '/mesh' },
    `--secret-store: is not a store of the external-secrets operator; received "a/b/c"; ${stores}\n` +
      '--repo: is missing: an ApplicationSet names the repository of its tree; allowed the URL that Argo CD reads it by\n' +
      `--path: is not a folder inside the repository; received "/mesh"; ${folders}`,
  ],
  [
    'a folder outside the repository',
    { ...argocd, path: '../mesh' },
    `--path: is not a folder inside the repository; received "../mesh"; ${folders}`,
  ],
  [
    'a repository with a password, which is not repeated',
    { ...argocd, repo: 'https://me:hunter2@git.example.com/a.git' },
    '--repo: contains a password, which the tree would show; fix: leave user and password out, and give them to Argo CD as repository credentials',
  ],
])('%s is a wrong use', (_, flags, message) => {
  expect(() => parseFlags(flags, plan)).toThrow(
    expect.objectContaining({ name: 'ProblemsError', message, exitCode: 2 }),
  );
});

test('trust anchors beside CAs in a volume are a wrong use', () => {
  const caVolume = { driver: 'vault.example', volumeAttributes: {} };
  expect(() => parseFlags({ ...kustomize, trustRoots: 'roots.pem' }, { ...plan, caVolume })).toThrow(
    expect.objectContaining({
      message:
        '--trust-roots: cannot be used with trust.csi: each control plane distributes the roots that are in its volume; fix: leave it out',
      exitCode: 2,
    }),
  );
});

test('trust anchors beside an issuer are a wrong use', () => {
  const issuer = { name: 'mesh-ca', kind: 'ClusterIssuer', group: 'cert-manager.io' };
  expect(() => parseFlags({ ...kustomize, trustRoots: 'roots.pem' }, { ...plan, issuer })).toThrow(
    expect.objectContaining({
      message:
        '--trust-roots: cannot be used with trust.issuer: each control plane distributes the root of its own CA, which does not change; fix: leave it out',
      exitCode: 2,
    }),
  );
});
