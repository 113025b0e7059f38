import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { ExistingCallerModel } from '../../model/mesh-model.ts';
import { principalOf } from '../access/authorization.ts';
import { tellCallee } from '../access/caller-record.ts';
import { given, MeshConstruct, type Mesh } from '../scope/mesh-construct.ts';
import type { Callable } from '../scope/callable.ts';
import type { Caller } from '../scope/method.ts';
import { callerProblems, refuseOutsideMesh } from './existing-rules.ts';

/** Properties of an {@link existingCaller}. */
export interface ExistingCallerProps {
  /** Namespace of its service account, the same in every cluster. */
  readonly namespace: string;
  /** The Kubernetes service account that its pods run as. */
  readonly serviceAccount: string;
}

const propKeys = keysOf<ExistingCallerProps>({ namespace: true, serviceAccount: true });

/** A workload that runs in the clusters already and belongs to others. See {@link existingCaller}, which makes one. */
export class ExistingCaller<C extends string> extends MeshConstruct<C> implements Caller {
  readonly mesh: Mesh<C>;
  readonly namespace: { readonly name: string };
  readonly serviceAccount: string;
  /** Its properties as they were given. */
  readonly #props: unknown;
  /** Plain JavaScript may have put anything here until the problems were asked for. */
  readonly #calls: Callable<C>[] = [];

  constructor(mesh: Mesh<C>, declared: ExistingCallerProps) {
    const { namespace, serviceAccount } = given(declared);
    refuseOutsideMesh('existingCaller', mesh);
    super(mesh, `existingCaller(${namespace}/${serviceAccount})`);
    this.mesh = mesh;
    this.#props = declared;
    this.namespace = { name: namespace };
    this.serviceAccount = serviceAccount;
  }

  /**
   * Grants its identity exactly these methods, ports and routes of services of the mesh, in every cluster. Its proxy has to be in the mesh; where
   * its owners narrow what that knows by a Sidecar resource of theirs, the services' hosts have to be in it.
   */
  calls(...called: readonly Callable<C>[]): void {
    for (const call of called) {
      this.#calls.push(call);
      tellCallee(this, call);
    }
  }

  /** Its identity in every cluster, as Istio writes principals. */
  get principal(): string {
    return principalOf(this.mesh.trustDomain, this.namespace.name, this.serviceAccount);
  }

  /** Clusters that it may run in: nobody says. */
  get clusters(): readonly C[] {
    return [];
  }

  /** It as plain data. */
  get model(): ExistingCallerModel {
    const callees = [...new Set(this.#calls.map(({ service }) => service.where))];
    return { namespace: this.namespace.name, serviceAccount: this.serviceAccount, callees };
  }

  override problems(): readonly Problem[] {
    return [...unknownKeys(this.where, this.#props, propKeys), ...callerProblems(this, this.#calls)];
  }

  /** It is read and never written: what lets it in stands with the services that it calls. */
  override project(): void {
    // Nothing of it is ours.
  }
}

/**
 * Declares a workload that runs in the clusters already and belongs to others, so that services of the mesh let it call them:
 * `existingCaller(mesh, { namespace: 'team-a', serviceAccount: 'reports' }).calls(catalog.method.listProducts)`. It is read and
 * never written: what lets it in are the AuthorizationPolicies of the services that it calls, and their `exportTo`.
 *
 * With an Istio of the mesh's own, its namespace is one of the mesh: only pods there have an identity in it.
 */
export function existingCaller<C extends string>(
  mesh: Mesh<C>,
  props: ExistingCallerProps,
): ExistingCaller<C> {
  return new ExistingCaller(mesh, props);
}
