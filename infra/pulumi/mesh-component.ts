import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { ClusterAccess } from '../kube/connection.ts';

/** What `pulumi stack output` tells of a cluster. */
export interface ClusterOutputs {
  /** The kubeconfig context in use. */
  readonly context: string;
  /** Where the ingress gateway is reached, `HOST:PORT` each: as declared, or once its load balancer has an address. */
  readonly ingress: pulumi.Output<readonly string[]>;
  /** Where the east-west gateway is reached, likewise. */
  readonly eastWest: pulumi.Output<readonly string[]>;
  /** End of the validity of the cluster's intermediate CA, ISO 8601. */
  readonly trustNotAfter: string;
}

/** Outputs of a stack. */
export interface MeshOutputs {
  readonly trustDomain: string;
  readonly clusters: Readonly<Record<string, ClusterOutputs>>;
}

/** Where what had no parent before the components were nested is found: URNs name the types of all parents. */
export const fromTheRoot = [{ parent: pulumi.rootStackResource }];

/** A mesh: the parent of its clusters. */
export class MeshDeployment extends pulumi.ComponentResource {
  constructor(name: string) {
    super('meshwright:infra:Mesh', name);
  }

  /** Says that nothing more is added. */
  close(outputs: MeshOutputs): void {
    this.registerOutputs(outputs);
  }
}

/** A cluster of the mesh: the parent of its stages, and of the one provider that everything in it is given. */
export class Cluster extends pulumi.ComponentResource {
  readonly name: string;
  readonly provider: kubernetes.Provider;

  constructor(name: string, access: ClusterAccess, mesh: MeshDeployment, meshName: string) {
    super('meshwright:infra:Cluster', name, {}, { parent: mesh });
    this.name = name;
    this.provider = new kubernetes.Provider(name, providerArguments(`${meshName}/${name}`, access), {
      parent: this,
      aliases: fromTheRoot,
    });
  }

  /** Says that nothing more is added. */
  close(outputs: ClusterOutputs): void {
    this.registerOutputs(outputs);
  }
}

/**
 * Server-side apply that takes fields over from other managers, and objects that exist already, as the apply driver does:
 * namespaces that were handed over are adopted, and what a lost state does not know is found again.
 */
function providerArguments(identity: string, access: ClusterAccess): kubernetes.ProviderArgs {
  return {
    // A path: the credentials in the file stay out of the state.
    kubeconfig: access.kubeconfig,
    context: access.context,
    // Another file, context name or address of the same cluster is no other cluster: nothing is ever replaced for it.
    clusterIdentifier: identity,
    enableServerSideApply: true,
    enablePatchForce: true,
    upsertExistingObjects: true,
    // Otherwise a change of their content is a replacement: a remote secret or a CA would be gone for a moment.
    enableSecretMutable: true,
    enableConfigMapMutable: true,
  };
}
