import { keysOf, unknownKeys } from '../core/keys.ts';
import { throwIfAny } from '../core/problem.ts';
import type {
  ExistingIngress,
  ExistingIstio,
  ExistingPlatform,
  Platform,
} from './constructs/scope/platform.ts';

/**
 * The local lab: images built on the machine and never pulled, upstream Envoy in place of Istio's build, parts small
 * enough for two clusters on two cores. istiod does not autoscale because the lab has no metrics server.
 */
export const lab: Platform = {
  imageHub: 'localhost/meshwright',
  istio: { hub: 'localhost/meshwright', tag: '1.31-dev.eed52ebb66ad', proxy: 'upstream-envoy' },
  controlPlane: { minReplicas: 1, maxReplicas: 1, requests: { cpu: '20m', memory: '64Mi' } },
  cni: { requests: { cpu: '5m', memory: '32Mi' } },
  sidecar: {
    requests: { cpu: '5m', memory: '32Mi' },
    limits: { cpu: '2', memory: '512Mi' },
  },
  gateway: {
    replicas: 1,
    nodePorts: false,
    sources: { any: 'only the machine that the lab runs on reaches it' },
    requests: { cpu: '5m', memory: '32Mi' },
    limits: { cpu: '2', memory: '512Mi' },
  },
};

const proxy = {
  requests: { cpu: '100m', memory: '128Mi' },
  limits: { cpu: '2', memory: '1Gi' },
};

/** Istio's default sizes, and two replicas of each gateway, so that no part of the mesh depends on one node. */
const proxies = {
  sidecar: proxy,
  gateway: { replicas: 2, nodePorts: true, ...proxy },
} satisfies Partial<Platform>;

/** Options of {@link released}. */
export interface ReleasedOptions {
  /** Registry and path that the apps' images were pushed to. */
  readonly imageHub: string;
  /** A released Istio version, such as `1.29.2`. */
  readonly istioTag: string;
  /** Registry and path of Istio's images, for clusters that cannot reach docker.io. @default docker.io/istio */
  readonly istioHub?: string;
  /** Names of Secrets with the hubs' credentials ({@link Platform.imagePullSecrets}). @default - none */
  readonly imagePullSecrets?: readonly string[];
}

const optionKeys = keysOf<ReleasedOptions>({
  imageHub: true,
  istioTag: true,
  istioHub: true,
  imagePullSecrets: true,
});

/**
 * Any other clusters: released Istio images, proxies with Istio's default sizes, and two replicas of istiod and of each
 * gateway, so that no part of the mesh depends on one node.
 * @throws ProblemsError for an option that it does not know
 */
export function released(options: ReleasedOptions): Platform {
  throwIfAny(unknownKeys('released', options, optionKeys));
  return {
    imageHub: options.imageHub,
    ...(options.imagePullSecrets === undefined ? {} : { imagePullSecrets: options.imagePullSecrets }),
    istio: { hub: options.istioHub ?? 'docker.io/istio', tag: options.istioTag, proxy: 'istio' },
    controlPlane: { minReplicas: 2, maxReplicas: 5, requests: { cpu: '500m', memory: '2Gi' } },
    cni: { requests: { cpu: '100m', memory: '100Mi' } },
    ...proxies,
  };
}

/** Options of {@link existing}. */
export interface ExistingOptions {
  /** Registry and path that the apps' images were pushed to. */
  readonly imageHub: string;
  /** Names of Secrets with the hub's credentials ({@link Platform.imagePullSecrets}). @default - none */
  readonly imagePullSecrets?: readonly string[];
  /** The Istio that is there. */
  readonly istio: ExistingIstio;
  /** Gateways of theirs that edges join. @default - edges have an ingress gateway of the mesh's own */
  readonly ingress?: ExistingIngress;
  /** The proxy beside each workload. @default - Istio's default sizes */
  readonly sidecar?: ExistingPlatform['sidecar'];
  /** The mesh's own ingress gateway. @default - two replicas of Istio's default sizes */
  readonly gateway?: ExistingPlatform['gateway'];
}

const existingKeys = keysOf<ExistingOptions>({
  imageHub: true,
  imagePullSecrets: true,
  istio: true,
  ingress: true,
  sidecar: true,
  gateway: true,
});

/**
 * Clusters in which others installed Istio (Helm, istioctl, a cloud's own): control plane, certificate authority, gateways between
 * networks and remote secrets are theirs, read and never written. `trustDomain` and each cluster's `network` of the mesh say what
 * theirs are (docs/existing-istio.md).
 * @throws ProblemsError for an option that it does not know
 */
export function existing(options: ExistingOptions): ExistingPlatform {
  throwIfAny(unknownKeys('existing', options, existingKeys));
  // Plain JavaScript may leave out anything; what is wrong with the platform is told with the mesh's other problems.
  const { imageHub, imagePullSecrets, istio, ingress, sidecar, gateway } =
    (options as ExistingOptions | null | undefined) ?? ({} as ExistingOptions);
  return {
    imageHub,
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    existing: istio,
    ...(ingress === undefined ? {} : { ingress }),
    sidecar: sidecar ?? proxies.sidecar,
    gateway: gateway ?? proxies.gateway,
  };
}
