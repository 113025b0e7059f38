import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { ClusterAccess } from '../kube/connection.ts';
import { providerSettings } from './provider-settings.ts';

/** The outputs of a cluster, as `pulumi stack output` prints them. */
export interface ClusterOutputs {
  /** The kubeconfig context in use. */
  readonly context: string;
  /**
   * Addresses of the ingress gateway, `HOST:PORT` each: declared, or those of its load balancer once it has any. Empty where edges
   * join gateways of others, or there are no edges, on an Istio of others.
   */
  readonly ingress: pulumi.Output<readonly string[]>;
  /** Addresses of the east-west gateway, in the same form; empty on an Istio of others. */
  readonly eastWest: pulumi.Output<readonly string[]>;
  /** End of validity of the cluster's intermediate CA, ISO 8601; empty on an Istio of others. */
  readonly trustNotAfter: string;
}

/** Outputs of a stack. */
export interface MeshOutputs {
  readonly trustDomain: string;
  readonly clusters: Readonly<Record<string, ClusterOutputs>>;
}

/** Aliases for resources that had no parent before the components were nested: a URN contains the types of all parents. */
export const fromTheRoot = [{ parent: pulumi.rootStackResource }];

/** A mesh: the parent of its clusters. */
export class MeshDeployment extends pulumi.ComponentResource {
  constructor(name: string) {
    super('meshwright:infra:Mesh', name);
  }

  /** Registers the outputs: nothing may be added after this. */
  close(outputs: MeshOutputs): void {
    this.registerOutputs(outputs);
  }
}

/** A cluster of the mesh: the parent of its stages, and of the provider that everything in it uses, but for one of a program. */
export class Cluster extends pulumi.ComponentResource {
  readonly name: string;
  readonly provider: kubernetes.Provider;

  /** @param by - how the cluster is reached, or the provider of a program that made the cluster */
  constructor(name: string, by: ClusterAccess | kubernetes.Provider, mesh: MeshDeployment, meshName: string) {
    super('meshwright:infra:Cluster', name, {}, { parent: mesh });
    this.name = name;
    this.provider = kubernetes.Provider.isInstance(by)
      ? by
      : new kubernetes.Provider(name, providerArguments(`${meshName}/${name}`, by), {
          parent: this,
          aliases: fromTheRoot,
        });
  }

  /** Registers the outputs: nothing may be added after this. */
  close(outputs: ClusterOutputs): void {
    this.registerOutputs(outputs);
  }
}

function providerArguments(identity: string, access: ClusterAccess): kubernetes.ProviderArgs {
  return {
    // A path, so that the credentials in the file do not get into the state.
    kubeconfig: access.kubeconfig,
    context: access.context,
    // Another file, context name or address for the same cluster must not replace any object.
    clusterIdentifier: identity,
    ...providerSettings,
  };
}
