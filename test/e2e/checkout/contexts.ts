import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { stateDir } from './cli.ts';
import { kubeconfig, kubectl } from './lab.ts';

/** The lab's clusters as existing ones: another checkout of the same trust, which knows them by their contexts alone. */
export interface OtherCheckout {
  /** Its state folder. */
  readonly state: string;
  readonly env: NodeJS.ProcessEnv;
  /** For `npm run up`. */
  readonly flags: readonly string[];
  readonly remove: () => void;
}

export const clusters = ['east', 'west'] as const;

/** Makes the checkout's state; the lab has to run. */
export function otherCheckout(): OtherCheckout {
  const state = mkdtempSync(join(tmpdir(), 'meshwright-contexts-'));
  cpSync(join(stateDir, 'trust'), join(state, 'trust'), { recursive: true });
  return {
    state,
    env: { MESHWRIGHT_STATE_DIR: state, KUBECONFIG: kubeconfig },
    flags: ['--context', 'west=west', '--context', 'east=east'],
    remove: () => {
      rmSync(state, { recursive: true });
    },
  };
}

/** Asserts that no cluster holds anything of a mesh: neither a namespace nor what is outside of them. */
export function expectNoMesh(): void {
  for (const cluster of clusters) {
    const namespaces = kubectl(cluster, 'get', 'namespaces', '-o', 'name').trim().split('\n').sort();
    expect(namespaces).toEqual(
      ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => `namespace/${name}`),
    );
    const shared =
      'customresourcedefinitions,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,validatingwebhookconfigurations';
    expect(kubectl(cluster, 'get', shared, '-o', 'name')).not.toMatch(/istio/);
  }
}
