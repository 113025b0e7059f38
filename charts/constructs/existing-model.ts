import { labelsOf } from '../model/labels.ts';
import type { ExistingIstioModel, KubernetesObject, MeshNeed } from '../model/mesh-model.ts';
import type { OthersInCluster, OthersIstio } from '../model/rendered.ts';
import { JoinedIngress } from './gateways/joined-ingress.ts';
import { existingPods } from './scope/existing-pods.ts';
import { Namespace } from './scope/mesh-construct.ts';
import type { Mesh } from './scope/mesh-construct.ts';
import { existingIstio, isExisting, type ExistingPlatform } from './scope/platform.ts';
import { proxyConfig } from './telemetry/proxy-config.ts';
import { collectorPort } from './telemetry/tracing.ts';
import { HttpService } from './web/http-service.ts';

/** The Istio of others as plain data, with what the mesh needs of its mesh configuration. */
export function existingModel(mesh: Mesh, platform: ExistingPlatform): ExistingIstioModel {
  const { ingress, tracing } = mesh;
  // Callers of the mesh are let in by paths, too.
  const hasPaths = ingress.isThere || mesh.node.findAll().some((part) => part instanceof HttpService);
  const needs: readonly MeshNeed[] = [
    'trustDomain',
    'discoverySelectors',
    ...(hasPaths ? (['pathNormalization'] as const) : []),
    'accessLog',
    ...(tracing === undefined ? [] : (['tracing'] as const)),
  ];
  return {
    ...existingIstio(platform),
    ...(ingress instanceof JoinedIngress ? { ingress: ingress.joined } : {}),
    sharedNamespaces: sharedNamespaces(mesh),
    needs,
  };
}

/** What gives the objects of a mesh's pods what those need on an Istio of others; undefined on its own. */
export function preparePods(mesh: Mesh): ((object: KubernetesObject) => KubernetesObject) | undefined {
  const { name, platform } = mesh;
  if (!isExisting(platform)) return undefined;
  return existingPods({ mesh: name, platform, shared: new Set(sharedNamespaces(mesh)), proxyConfig });
}

/** What the gates have to know of an Istio of others. */
export function othersIstio(mesh: Mesh): { readonly istio?: OthersIstio } {
  const { name, platform, ingress } = mesh;
  if (!isExisting(platform)) return {};
  const { rootNamespace, eastWestNamespace } = existingIstio(platform);
  const closed = [rootNamespace, eastWestNamespace, ingress.isJoined ? ingress.namespace : undefined];
  return {
    istio: {
      labels: labelsOf(name),
      shared: sharedNamespaces(mesh),
      closed: [...new Set(closed.filter((namespace) => namespace !== undefined))],
      ...(ingress.isJoined ? { ingress: { namespace: ingress.namespace, selector: ingress.selector } } : {}),
    },
  };
}

/** What of others, in any cluster, objects of the mesh may name. */
export function othersOf(mesh: Mesh): OthersInCluster {
  const { platform, ingress, tracing } = mesh;
  const collector = isExisting(platform) ? tracing?.collector : undefined;
  return {
    hosts: new Map(collector === undefined ? [] : [[collector.host, [collectorPort(collector)]]]),
    accounts:
      ingress instanceof JoinedIngress ? [`${ingress.namespace}/${ingress.joined.serviceAccount}`] : [],
    namespaces: [...(ingress.isJoined ? [ingress.namespace] : []), ...sharedNamespaces(mesh)],
  };
}

function sharedNamespaces({ node }: Mesh): readonly string[] {
  const namespaces = node.findAll().filter((part) => part instanceof Namespace);
  return namespaces.filter(({ shared }) => shared).map(({ name }) => name);
}
