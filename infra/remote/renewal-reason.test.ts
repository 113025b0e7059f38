import { expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';
import { remoteReader } from '../../charts/constructs/scope/names.ts';
import { KubeClient } from '../kube/kube-client.ts';
import { renewalReason } from './remote-access.ts';
import { remoteKubeconfig, type LiveRemoteSecret } from './remote-secret.ts';

const server = 'https://10.0.0.1:6443';
const access = { server, ca: 'CA', token: 'token' };
/** Nobody asks it anything here. */
const clientOf = (cluster: string) => {
  const config = new KubeConfig();
  config.loadFromString(remoteKubeconfig(cluster, access));
  return new KubeClient(cluster, config);
};
const options = {
  reader: clientOf('east'),
  remote: clientOf('west'),
  server,
  settings: { generation: 2, tokenDays: 30 },
};
const account = { ca: 'CA', accountUid: 'account-1' };
const boundAs = (name: string) => ({ boundTo: { name, uid: 'secret-1' } });
const claims = {
  ...{ issued: 1000, expires: 1300, accountUid: 'account-1' },
  ...boundAs(`${remoteReader}-east-2-0123abcd`),
};
const live = (change: object = {}, kubeconfig = remoteKubeconfig('west', access)): LiveRemoteSecret => ({
  kubeconfig,
  token: 'token',
  claims: { ...claims, ...change },
});
const now = 1000_000;
const because = (held: LiveRemoteSecret | undefined, at = now) => renewalReason(options, held, account, at);

test('a token that is good stays', () => {
  expect(because(live())).toBeUndefined();
});

const differs = 'the address or CA of the API server differs from that in the remote secret';
test.each([
  [undefined, 'it has none'],
  [{ ...live(), claims: undefined }, 'its present one does not expire'],
  [live({}, remoteKubeconfig('west', { ...access, server: 'https://10.0.0.2:6443' })), differs],
  [live({}, remoteKubeconfig('west', { ...access, ca: 'other' })), differs],
  [live({}, remoteKubeconfig('north', access)), differs],
  [live({ accountUid: 'account-2' }), 'its present one is for another service account'],
])('%j is replaced: %s', (held, reason) => {
  expect(because(held)).toBe(reason);
});

test.each([
  undefined,
  '',
  `${remoteReader}-east-2`,
  `${remoteReader}-east-2-0123abcde`,
  `${remoteReader}-east-2-0123ABCD`,
  `${remoteReader}-east-x-0123abcd`,
  `${remoteReader}-east--0123abcd`,
  `${remoteReader}-west-2-0123abcd`,
  `x${remoteReader}-east-2-0123abcd`,
])('a token that is bound to %j cannot be revoked by its name', (name) => {
  const bound = name === undefined ? { boundTo: undefined } : boundAs(name);
  expect(because(live(bound))).toBe('its present one cannot be revoked');
});

test.each([
  [1, 'remoteAccess.generation went from 1 to 2'],
  [12, 'remoteAccess.generation went from 12 to 2'],
])('a token of generation %s is replaced', (generation, reason) => {
  expect(because(live(boundAs(`${remoteReader}-east-${generation}-0123abcd`)))).toBe(reason);
});

test('a token is renewed when less than a third of its life is left, and expires at its very end', () => {
  const near = 'less than a third of the life of its present one is left';
  const ended = 'its present one has expired';
  expect([1199_999, 1200_000, 1299_999, 1300_000, 1300_001].map((at) => because(live(), at))).toEqual([
    undefined,
    near,
    near,
    ended,
    ended,
  ]);
});
