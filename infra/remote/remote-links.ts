import { addressForOthers } from '../kube/api-server.ts';
import type { Clients } from '../kube/connection.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { defaultLimits } from '../plan/limits.ts';
import type { Limits } from '../plan/limits.ts';
import type { Plan } from '../plan/plan.ts';
import { grantAccess, revokeStrangers } from './remote-access.ts';
import { settleRemotes } from './remote-sync.ts';
import type { StackConfig } from '../plan/stack-config.ts';

export interface LinkOptions extends Pick<StackConfig, 'access' | 'remoteAccess'> {
  readonly plan: Plan;
  readonly clients: Clients;
  readonly report: (line: string) => void;
  /** @default defaultLimits */
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

/** The access of a mesh's control planes to each other's clusters, set up the same way by both drivers. */
export class RemoteLinks {
  readonly #options: LinkOptions;
  readonly #issued = new Set<string>();
  readonly #opening = new Map<string, Promise<void>>();

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The remote secret that gives `reader` access to `remote`; see {@link grantAccess}. */
  grant(reader: string, remote: string, preview = false): Promise<KubeObject> {
    const { access, remoteAccess } = this.#options;
    const client = this.#client(remote);
    const server = addressForOthers(client, access[remote]);
    const issued = () => this.#issued.add(reader);
    const parts = { reader: this.#client(reader), remote: client, server, settings: remoteAccess, issued };
    return grantAccess({ ...this.#common(), ...parts }, preview);
  }

  /**
   * Call it once the remote secrets of `reader` are applied: starts {@link settleRemotes}, and revokes the tokens of clusters
   * that have left the mesh.
   */
  open(reader: string): void {
    const opening = this.#settle(reader, this.#issued.has(reader) ? Date.now() : 0);
    // opened() reports the failure; a run that fails earlier reports its own.
    opening.catch(() => undefined);
    this.#opening.set(reader, opening);
  }

  /**
   * Waits for what {@link open} started.
   * @throws ProblemsError (exit 1) with every cluster that `reader` cannot read, and why.
   */
  async opened(reader: string): Promise<void> {
    await this.#opening.get(reader);
  }

  async #settle(reader: string, writtenAt: number): Promise<void> {
    const { plan } = this.#options;
    const limits = { ...defaultLimits, ...this.#options.limits };
    const { clusters } = plan;
    const client = this.#client(reader);
    const remotes = clusters.filter((name) => name !== reader).map((name) => this.#client(name));
    await revokeStrangers(client, { ...this.#common(), clusters });
    await settleRemotes({ ...this.#common(), reader: client, remotes, writtenAt, limits });
  }

  #common() {
    const { plan, report, signal } = this.#options;
    const { mesh, controlPlaneNamespace: namespace } = plan;
    return { mesh, namespace, report, ...(signal && { signal }) };
  }

  #client(cluster: string): KubeClient {
    const client = this.#options.clients[cluster];
    if (client === undefined) throw new Error(`no client was made for cluster ${cluster}`);
    return client;
  }
}
