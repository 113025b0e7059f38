import { k8s } from 'cdk8s-plus-28';
import { productVersion } from '../../../core/product.ts';
import { toYaml } from '../../../core/yaml.ts';
import { meshNetworks } from '../gateways/address.ts';
import { MeshConstruct } from '../scope/mesh-construct.ts';
import type { Mesh } from '../scope/mesh-construct.ts';
import { defaultRevision, versionAnnotation } from '../../model/labels.ts';
import type { ControlPlaneModel } from '../../model/mesh-model.ts';
import type { Cluster } from '../scope/cluster.ts';
import type { Platform } from '../scope/platform.ts';
import { controlPlaneNamespace, networkLabel, trustAnchorsName } from '../scope/names.ts';
import { podSecurityLabels } from '../scope/pod-security.ts';
import type { Projection } from '../scope/projection.ts';
import { controlPlanesOf, ofRevision, usedRevision } from '../scope/revisions.ts';
import { accessLogs } from '../telemetry/access-log.ts';
import { unseenRetries } from '../traffic/virtual-service.ts';
import { proxyConfig } from '../telemetry/proxy-config.ts';
import { extensionProviders } from '../telemetry/tracing.ts';
import { discoverySelectors } from '../scope/visibility.ts';

/**
 * How a root CA is replaced without a restart (docs/adr/0011): istiod sends the proxies their trust anchors, those of its
 * `cacerts` and those of the ConfigMap that the driver makes. No proxy gets a certificate for longer than a day.
 */
const trustEnv = {
  ISTIO_MULTIROOT_MESH: 'true',
  SHARED_MESH_CONFIG: trustAnchorsName,
  MAX_WORKLOAD_CERT_TTL: '24h',
} as const;

/**
 * Addresses where no issuer of tokens is, but a node's or cloud's own services are: the machine itself, and link-local ones
 * with what clouds tell their machines, credentials among it (RFC 1122 3.2.1.3, RFC 3927, RFC 4291 2.5, AWS's IMDS by IPv6).
 * istiod fetches keys from wherever a RequestAuthentication says.
 */
const withoutIssuers = ['127.0.0.0/8', '::1/128', '169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128'];

/**
 * Istio in a cluster: istiod as one of the mesh's primaries, and the CNI agent. Rendered as an IstioOperator, which is
 * never applied itself: the driver renders it into the official charts' objects with `istioctl manifest generate`
 * (https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/). While a cluster is upgraded it has one for each
 * revision. What there is only one of in a cluster (the CNI agent, the definitions of Istio's resources, the webhook that checks
 * them) comes with the revision in use, so that a control plane beside it changes nothing for the pods that run.
 *
 * The namespace's label tells istiod which network the cluster's pods are in. It is the only namespace that does not
 * hold its pods to `restricted`: the CNI agent mounts folders of the node and runs as root with network capabilities,
 * which is what lets every other pod do without them.
 */
export class ControlPlane<C extends string> extends MeshConstruct<C> {
  readonly mesh: Mesh<C>;
  readonly #platform: Platform;

  constructor(scope: Mesh<C>, id: string, platform: Platform) {
    super(scope, id);
    this.mesh = scope;
    this.#platform = platform;
  }

  override project(into: Projection): void {
    const labels = { [networkLabel]: into.cluster.network, ...podSecurityLabels('privileged') };
    const differs = {
      because: 'each cluster is on a network, and istiod knows which cluster it is the primary of',
      paths: [
        ['metadata', 'labels', networkLabel],
        ['spec', 'values', 'global', 'network'],
        ['spec', 'values', 'global', 'multiCluster', 'clusterName'],
      ],
    };
    const annotations = { [versionAnnotation]: productVersion() };
    into.add(
      '00-namespaces',
      k8s.KubeNamespace,
      { name: controlPlaneNamespace, labels, annotations, differs },
      {},
    );
    for (const controlPlane of controlPlanesOf(into.cluster, this.#platform)) {
      this.#addRelease(into, controlPlane, differs.paths);
    }
    this.#addTrustDomain(into);
  }

  /**
   * Tells the trust domain to control planes of other clusters whose revision does not run here. istiod reads it in a remote
   * cluster from the mesh configuration of its own revision, and takes `cluster.local` where there is none: its proxies would
   * take this cluster's services for impostors (`pilot/pkg/serviceregistry/kube/controller/multicluster.go` in Istio's
   * sources). A revision that comes here brings the same object with its release.
   */
  #addTrustDomain(into: Projection): void {
    const { clusters, trustDomain } = this.mesh;
    const revisionsOf = (cluster: Cluster) =>
      controlPlanesOf(cluster, this.#platform).map(({ revision }) => revision);
    for (const revision of new Set(clusters.flatMap(revisionsOf))) {
      const without = clusters.filter((cluster) => !revisionsOf(cluster).includes(revision));
      if (!without.some(({ name }) => name === into.cluster.name)) continue;
      const name = revision === defaultRevision ? 'istio' : `istio-${revision}`;
      const differs = { because: ofRevision.because, clusters: without.map((cluster) => cluster.name) };
      into.add(
        '10-control-plane',
        k8s.KubeConfigMap,
        { name, namespace: controlPlaneNamespace, differs },
        { data: { mesh: toYaml({ trustDomain }) } },
      );
    }
  }

  #addRelease(
    into: Projection,
    { revision, hub, tag }: ControlPlaneModel,
    paths: readonly (readonly string[])[],
  ): void {
    const isUsed = revision === usedRevision(into.cluster);
    const isDefault = revision === defaultRevision;
    const runsIn = this.mesh.clusters.filter((cluster) =>
      controlPlanesOf(cluster, this.#platform).some((other) => other.revision === revision),
    );
    const ofUpgrade = [
      ['spec', 'hub'],
      ['spec', 'tag'],
      ['spec', 'components'],
      ['spec', 'unvalidatedValues'],
      ['spec', 'values', 'defaultRevision'],
    ];
    const differs = {
      because: `${ofRevision.because}; each has its own name and network`,
      clusters: runsIn.map(({ name }) => name),
      paths: [...paths, ...ofUpgrade],
    };
    into.addCustom(
      '10-control-plane',
      { apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator' },
      { name: isDefault ? 'istio' : `istio-${revision}`, namespace: controlPlaneNamespace, differs },
      {
        spec: {
          profile: 'minimal',
          ...(isDefault ? {} : { revision }),
          hub,
          tag,
          components: {
            ...(isUsed ? {} : { base: { enabled: false } }),
            cni: { enabled: isUsed, namespace: controlPlaneNamespace },
          },
          meshConfig: this.#meshConfig(),
          // Without a default one, only resources that name a revision are checked, which ours do not.
          values: { ...(isUsed ? { defaultRevision: revision } : {}), ...this.#values(into.cluster) },
          // istioctl takes a control plane without the agent for one whose proxies redirect traffic themselves.
          ...(isUsed ? {} : { unvalidatedValues: { pilot: { cni: { enabled: true } } } }),
        },
      },
    );
  }

  /** Mesh-wide behaviour (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/). */
  #meshConfig() {
    const { trustDomain, tracing } = this.mesh;
    return {
      trustDomain,
      ...accessLogs,
      ...(tracing === undefined ? {} : { extensionProviders: extensionProviders(tracing) }),
      // What else runs in the clusters is nothing to istiod, and gets no copy of its root certificate.
      discoverySelectors: discoverySelectors(this.mesh.name),
      // What is neither a service of the mesh nor declared as an external one cannot be called.
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      defaultHttpRetryPolicy: unseenRetries,
      defaultConfig: proxyConfig,
      // Policies, routes and servers see one path: `//` is `/` before any of them looks, as `.`, `..` and `\` are resolved by
      // Istio's default. `%2F` stays: within a variable of google.api.http it is a part of the text (docs/adr/0033).
      pathNormalization: { normalization: 'MERGE_SLASHES' },
    };
  }

  /** Values of the istiod and CNI charts. */
  #values(cluster: Cluster) {
    const { istio, controlPlane, cni, sidecar, imagePullSecrets = [] } = this.#platform;
    const networks = meshNetworks(this.mesh);
    const { minReplicas, maxReplicas } = controlPlane;
    const upstreamEnvoy = istio.proxy === 'upstream-envoy';
    return {
      global: {
        meshID: this.mesh.name,
        multiCluster: { clusterName: cluster.name },
        network: cluster.network,
        proxy: { resources: sidecar },
        ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: [...imagePullSecrets] }),
        ...(Object.keys(networks).length === 0 ? {} : { meshNetworks: networks }),
        // Remote secrets act as an account of ours, which may read less (remote-reader.ts).
        enableReaderRBAC: false,
        // With one replica a budget would only keep its node from being drained.
        defaultPodDisruptionBudget: { enabled: minReplicas > 1 },
      },
      pilot: {
        cni: { enabled: true },
        resources: { requests: controlPlane.requests },
        ...(maxReplicas > minReplicas
          ? { autoscaleEnabled: true, autoscaleMin: minReplicas, autoscaleMax: maxReplicas }
          : { autoscaleEnabled: false, replicaCount: minReplicas }),
        env: {
          ...trustEnv,
          // Else istiod gives its configuration on port 15010 to whoever asks, in plaintext and as whichever proxy it names.
          // Proxies ask on port 15012, by TLS and with their account's token (`pkg/security/authentication.go` in Istio's sources).
          XDS_AUTH_PLAINTEXT: 'true',
          BLOCKED_CIDRS_IN_JWKS_URIS: withoutIssuers.join(','),
          ...(upstreamEnvoy
            ? { PILOT_ENABLE_ALPN_FILTER: 'false', PILOT_ENABLE_METADATA_EXCHANGE: 'false' }
            : {}),
        },
      },
      cni: { resources: cni },
      ...(upstreamEnvoy ? { telemetry: { enabled: false } } : {}),
    };
  }
}
