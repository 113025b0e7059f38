import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readRemoteSecret, remoteSecret } from './remote-secret.ts';
import { tokenWith } from '../testing/control-plane.ts';

const token = tokenWith({ iat: 1, exp: 2, 'kubernetes.io': { serviceaccount: { uid: 'uid-1' } } });
const access = { server: 'https://10.0.0.1:6443', ca: 'CA', token };
const made = remoteSecret('shop', 'west', 'istio-system', access);

test('is what istiod looks for: label, annotation, and a kubeconfig under the name of the cluster', () => {
  expect(made).toMatchObject({
    kind: 'Secret',
    metadata: {
      name: 'istio-remote-secret-west',
      namespace: 'istio-system',
      labels: {
        'istio/multiCluster': 'true',
        'app.kubernetes.io/managed-by': 'meshwright',
        'app.kubernetes.io/part-of': 'shop',
      },
      annotations: { 'networking.istio.io/cluster': 'west' },
    },
  });
  const data = made['data'] as Record<string, string>;
  expect(Object.keys(data)).toEqual(['west']);
  expect(parse(Buffer.from(data['west'] ?? '', 'base64').toString('utf8'))).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'west', cluster: { server: access.server, 'certificate-authority-data': 'Q0E=' } }],
    contexts: [{ name: 'west', context: { cluster: 'west', user: 'west' } }],
    'current-context': 'west',
    users: [{ name: 'west', user: { token } }],
  });
});

describe('readRemoteSecret', () => {
  test('reads back what was written', () => {
    expect(readRemoteSecret('west', made)).toMatchObject({
      token,
      claims: { issued: 1, expires: 2, accountUid: 'uid-1' },
    });
  });

  test('has nothing where there is no token', () => {
    expect(readRemoteSecret('west', undefined)).toBeUndefined();
    expect(readRemoteSecret('west', { ...made, data: {} })).toBeUndefined();
    expect(readRemoteSecret('east', made)).toBeUndefined();
  });
});
