import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, test } from '@jest/globals';
import { addressForOthers, checkReachable } from './api-server.ts';
import { KubeClient } from './kube-client.ts';

const clientsAt = (...servers: readonly string[]) =>
  Object.fromEntries(
    servers.map((server, index) => {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: false }, { name: 'u' });
      return [`c${index}`, new KubeClient(`c${index}`, config)];
    }),
  );
const access = { kubeconfig: '/kube/config', context: 'c' };

test("the others reach a cluster by the address in its kubeconfig, or by the stack file's", () => {
  const { c0 } = clientsAt('https://127.0.0.1:6443');
  expect(addressForOthers(c0!, access)).toBe('https://127.0.0.1:6443');
  expect(addressForOthers(c0!, { ...access, apiServer: 'https://10.0.0.1:6443' })).toBe(
    'https://10.0.0.1:6443',
  );
});

describe('checkReachable', () => {
  const line = (cluster: string, server: string) =>
    `cluster ${cluster}: its API server has a loopback address, which the pods of the other clusters cannot reach; received "${server}"; fix: set clusters.${cluster}.apiServer in the stack file to an address that the other clusters can reach`;

  test('names every cluster whose address means another machine elsewhere', () => {
    const servers = [
      'https://127.0.0.1:6443',
      'https://10.0.0.1:6443',
      'https://localhost:6443',
      'https://[::1]:6443',
      'https://0.0.0.0:6443',
      'https://[::]:6443',
      'https://node.localhost:6443',
    ];
    expect(() => {
      checkReachable(clientsAt(...servers), {});
    }).toThrow([0, 2, 3, 4, 5, 6].map((index) => line(`c${index}`, servers[index] ?? '')).join('\n'));
  });

  test('judges the address that is given to the others', () => {
    const clients = clientsAt('https://127.0.0.1:6443', 'https://10.0.0.1:6443');
    expect(() => {
      checkReachable(clients, { c0: { ...access, apiServer: 'https://10.0.0.2:6443' } });
    }).not.toThrow();
    expect(() => {
      checkReachable(clients, {
        c0: { ...access, apiServer: 'https://10.0.0.2:6443' },
        c1: { ...access, apiServer: 'https://localhost:6443' },
      });
    }).toThrow(line('c1', 'https://localhost:6443'));
  });

  test('a single cluster is read by no other', () => {
    expect(() => {
      checkReachable(clientsAt('https://127.0.0.1:6443'), {});
    }).not.toThrow();
  });
});
