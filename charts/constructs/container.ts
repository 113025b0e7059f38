import type { k8s } from 'cdk8s-plus-28';
import { k8s as kube } from 'cdk8s-plus-28';
import type { AppConfig } from '../../apps/config/app-config.ts';
import { quantities, restrictedContainer } from './pod-defaults.ts';

export interface AppContainerProps {
  readonly name: string;
  readonly image: string;
  readonly config: AppConfig;
  /** Ports this container listens on. */
  readonly ports: AppConfig['ports'];
  /** Cluster the pod runs in, which the app names in its answers. */
  readonly cluster: string;
  /** Environment that the charts know of, beside what every container gets. @default - none */
  readonly env?: Readonly<Record<string, string>>;
}

/** User and group of the app images. */
const appUser = 65532;

/** A container of one of the project's apps: what its config.yml says, held to Pod Security `restricted`. */
export function appContainer(props: AppContainerProps): k8s.Container {
  const { name, image, config, ports } = props;
  return {
    name,
    image,
    // Tags name content: one that is there is the right one.
    imagePullPolicy: 'IfNotPresent',
    env: environment(props),
    ports: (['grpc', 'http'] as const).flatMap((port) => {
      const containerPort = ports[port];
      return containerPort === undefined ? [] : [{ name: port, containerPort, protocol: 'TCP' }];
    }),
    resources: {
      requests: quantities(config.resources.requests),
      limits: quantities(config.resources.limits),
    },
    securityContext: { ...restrictedContainer, runAsUser: appUser, runAsGroup: appUser },
    ...probes(ports),
  };
}

function environment({ cluster, ports, env = {}, config }: AppContainerProps): k8s.EnvVar[] {
  const fromPod = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const given: Readonly<Record<string, string>> = {
    ...(ports.grpc === undefined ? {} : { GRPC_PORT: String(ports.grpc) }),
    ...(ports.http === undefined ? {} : { HTTP_PORT: String(ports.http) }),
    ...env,
    ...config.env,
  };
  return [
    { name: 'CLUSTER_NAME', value: cluster },
    fromPod('POD_NAME', 'metadata.name'),
    fromPod('POD_NAMESPACE', 'metadata.namespace'),
    ...Object.entries(given).map(([name, value]) => ({ name, value })),
  ];
}

/**
 * gRPC health checks (https://grpc.io/docs/guides/health-checking/), or for an app that only speaks HTTP the paths
 * `/healthz` and `/readyz`. A start may take 60 s; after it, liveness takes over.
 */
function probes({
  grpc,
  http,
}: AppConfig['ports']): Pick<k8s.Container, 'startupProbe' | 'readinessProbe' | 'livenessProbe'> {
  if (grpc === undefined && http === undefined) return {};
  const check = (path: string): k8s.Probe =>
    grpc === undefined
      ? { httpGet: { path, port: kube.IntOrString.fromString('http') } }
      : { grpc: { port: grpc } };
  return {
    startupProbe: { ...check('/healthz'), periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 2 },
    readinessProbe: { ...check('/readyz'), periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 2 },
    livenessProbe: { ...check('/healthz'), periodSeconds: 10, failureThreshold: 3, timeoutSeconds: 2 },
  };
}
