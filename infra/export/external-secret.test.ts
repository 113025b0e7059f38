import { expect, test } from '@jest/globals';
import type { KubeObject } from '../kube/kube-object.ts';
import { field } from '../kube/kube-object.ts';
import { remoteSecret } from '../remote/remote-secret.ts';
import { cacertsSecret } from '../trust/objects.ts';
import { initialTrust } from '../trust/state.ts';
import { referSecret } from './external-secret.ts';
import type { SecretStore, StoredSecret } from './external-secret.ts';

const namespace = 'istio-system';
const store: SecretStore = { kind: 'SecretStore', name: 'vault', key: 'mesh-{cluster}-{secret}' };
const remote: StoredSecret = {
  kind: 'remote-secret',
  namespace,
  name: 'istio-remote-secret-west',
  of: 'west',
};
const cacerts: StoredSecret = { kind: 'cacerts', namespace, name: 'cacerts' };

/** What the operator does with the parts of an ExternalSecret that are used here. */
function fetched(object: KubeObject, values: Readonly<Record<string, string>>): KubeObject {
  const { target, data } = field(object, 'spec') as {
    readonly target: {
      readonly name: string;
      readonly template: {
        readonly type: string;
        readonly metadata: object;
        readonly data?: Readonly<Record<string, string>>;
      };
    };
    readonly data: readonly {
      readonly secretKey: string;
      readonly remoteRef: { readonly property: string };
    }[];
  };
  const { type, metadata, data: templates } = target.template;
  const found = Object.fromEntries(
    data.map(({ secretKey, remoteRef }) => [secretKey, values[remoteRef.property]!]),
  );
  const rendered =
    templates === undefined
      ? found
      : Object.fromEntries(
          Object.entries(templates).map(([key, template]) => [
            key,
            template.replaceAll(/\{\{ \.(\w+)( \| b64enc)? \}\}/g, (_, name: string, encoded?: string) =>
              encoded ? Buffer.from(found[name]!).toString('base64') : found[name]!,
            ),
          ]),
        );
  const encoded = Object.entries(rendered).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name: target.name, namespace: object.metadata.namespace!, ...metadata },
    data: Object.fromEntries(encoded) as Readonly<Record<string, string>>,
  };
}

test('a remote secret is what the drivers make', () => {
  const { object, key } = referSecret('shop', 'east', remote, store);
  const access = { server: 'https://10.0.0.1:6443', ca: '-----BEGIN CERTIFICATE-----\n', token: 'a.b.c' };
  expect(fetched(object, access)).toEqual(remoteSecret('shop', 'west', namespace, access));
  expect(key).toBe('mesh-east-istio-remote-secret-west');
});

test('cacerts is what the drivers make', () => {
  const { object } = referSecret('shop', 'east', cacerts, store);
  const files = { certificate: 'cert\n', key: 'key\n', chain: 'chain\n', roots: 'root\n' };
  const trust = { ...files, notAfter: new Date(), state: initialTrust };
  const wanted = cacertsSecret('shop', namespace, trust);
  const values = Object.entries(field(wanted, 'data') as Readonly<Record<string, string>>).map(
    ([name, value]) => [name, Buffer.from(value, 'base64').toString('utf8')] as const,
  );
  const { name, labels } = wanted.metadata;
  // But for the state, which only those who make it know.
  expect(fetched(object, Object.fromEntries(values))).toEqual({
    ...wanted,
    metadata: { name, namespace, labels },
  });
});

test('what is fetched stays when its ExternalSecret or its value goes', () => {
  for (const secret of [cacerts, remote]) {
    const { object } = referSecret('shop', 'east', secret, store);
    expect(field(object, 'spec')).toMatchObject({
      secretStoreRef: { kind: 'SecretStore', name: 'vault' },
      target: { name: secret.name, creationPolicy: 'Orphan', deletionPolicy: 'Retain' },
    });
  }
});
