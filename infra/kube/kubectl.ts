import { shellWord } from '../../core/shell.ts';
import type { KubeClient } from './kube-client.ts';

/** A kubectl command for a cluster that can be pasted into a shell: `kubectl --kubeconfig FILE --context NAME get pods`. */
export function kubectlCommand(client: KubeClient, ...words: readonly string[]): string {
  const file = client.kubeconfig === undefined ? [] : ['--kubeconfig', client.kubeconfig];
  const place = [...file, '--context', client.config.getCurrentContext()];
  return ['kubectl', ...place, ...words].map(shellWord).join(' ');
}
