import { expect, test } from '@jest/globals';
import * as kubernetes from '@pulumi/kubernetes';
import { formatProblem } from '../../core/problem.ts';
import { runInEngine } from '../testing/pulumi-engine.ts';
import { providerProblems } from './program-providers.ts';
import { providerSettings } from './provider-settings.ts';

const names = ['east', 'west'];
const kubeconfig = (current: string, slash = '') =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({
      name,
      cluster: { server: `https://me:pw@${name}.example:6443${slash}` },
    })),
    users: [{ name: 'me', user: { token: 'secret-token' } }],
    contexts: names.map((name) => ({ name: `at-${name}`, context: { cluster: name, user: 'me' } })),
    'current-context': current,
  });

/** What is told of a provider of a cluster that is checked by the context of `west`. */
async function told(args: kubernetes.ProviderArgs): Promise<readonly string[]> {
  const content = () => kubeconfig('at-east');
  const access = { kubeconfig: '', context: 'at-west', content };
  const { result } = await runInEngine(
    () => providerProblems('west', new kubernetes.Provider('own', { ...args, ...providerSettings }), access),
    (_, object) => object,
  );
  return result.map(formatProblem);
}

test.each<[string, kubernetes.ProviderArgs]>([
  ['its current context', { kubeconfig: kubeconfig('at-east') }],
  ['its context, whatever the current one', { kubeconfig: kubeconfig('at-west'), context: 'at-east' }],
  ['its cluster, whatever the context', { kubeconfig: kubeconfig('at-west'), cluster: 'east' }],
])('a provider is refused that reaches another server by %s, without the credentials', async (_, args) => {
  expect(await told(args)).toEqual([
    'runStack: clusters.west.provider: reaches another server than the kubeconfig that the cluster is checked by; received "https://east.example:6443"; allowed https://west.example:6443; fix: give both the same kubeconfig, and its context as clusters.west.context',
  ]);
});

test.each<[string, kubernetes.ProviderArgs]>([
  ['by its current context', { kubeconfig: kubeconfig('at-west') }],
  ['by its context', { kubeconfig: kubeconfig('at-east'), context: 'at-west' }],
  ['by its cluster', { kubeconfig: kubeconfig('at-east'), cluster: 'west' }],
  ['by an address that ends in a slash', { kubeconfig: kubeconfig('at-west', '/') }],
  ['as a file says, which is not read', { kubeconfig: '/home/me/.kube/config' }],
  ['as a text says that is none', { kubeconfig: 'users: [{ token: secret-token' }],
])('a provider is accepted that reaches the server %s', async (_, args) => {
  expect(await told(args)).toEqual([]);
});
