import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from '@jest/globals';
import { KubeClient } from './kube-client.ts';
import { kubectlCommand } from './kubectl.ts';

const clientOf = (context: string, kubeconfig?: string) => {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'c', server: 'https://10.0.0.1' }],
    users: [{ name: 'u' }],
    contexts: [{ name: context, cluster: 'c', user: 'u' }],
    currentContext: context,
  });
  return new KubeClient('east', config, kubeconfig);
};

test('a command for kubectl can be pasted, whatever folders and contexts are called', () => {
  expect(kubectlCommand(clientOf('east', '/a/kube'), 'get', 'pods')).toBe(
    'kubectl --kubeconfig /a/kube --context east get pods',
  );
  expect(kubectlCommand(clientOf("it's $mine", '/a b/kube'), 'get', 'pods')).toBe(
    `kubectl --kubeconfig '/a b/kube' --context 'it'\\''s $mine' get pods`,
  );
  expect(kubectlCommand(clientOf('arn:aws:eks:eu-1:1:cluster/x'))).toBe(
    'kubectl --context arn:aws:eks:eu-1:1:cluster/x',
  );
});
