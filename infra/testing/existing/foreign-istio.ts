import { parse, stringify } from 'yaml';
import { field, list, text } from '../../kube/kube-object.ts';
import type { KubeObject } from '../../kube/kube-object.ts';
import { selects } from '../../kube/webhooks.ts';
import { cutOff } from '../gateway.ts';
import type { KubeApi } from '../kube-api.ts';

/** How an Istio of others differs from the one that {@link addForeignIstio} makes by default. */
export interface ForeignIstio {
  readonly cluster: string;
  /** Clusters that its istiod knows, with their state. */
  readonly knows: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly clusterId?: string;
  readonly network?: string;
  /** Further variables of istiod. */
  readonly env?: Readonly<Record<string, string>>;
  readonly meshConfig?: object;
  readonly meshNetworks?: object;
  readonly values?: object;
  /** Of its injector (`values.global.proxy.autoInject`). @default enabled */
  readonly policy?: string;
  readonly root: string;
  /** Addresses of its east-west gateway. @default - one, which is reached */
  readonly eastWest?: readonly string[] | 'none';
  /** Further fields of its Service's `spec`. */
  readonly eastWestSpec?: object;
  readonly eastWestAnnotations?: Readonly<Record<string, string>>;
}

const namespace = 'istio-system';
const revision = '1-31-others';

/** Puts an Istio of revision `1-31-others`, tag `prod`, into a cluster, as istioctl leaves it: with what preflight reads of it. */
export function addForeignIstio(api: KubeApi, istio: ForeignIstio): void {
  const { cluster, network = `net-${cluster}`, eastWest = ['192.0.2.9'] } = istio;
  const labels = { app: 'sidecar-injector', 'istio.io/rev': revision };
  const put = (apiVersion: string, kind: string, name: string, rest: object = {}, own: object = {}) => {
    api.put({ apiVersion, kind, metadata: { name, ...own }, ...rest });
  };
  const here = { namespace };
  const webhooks = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'] as const;
  put(...webhooks, `istio-sidecar-injector-${revision}`, injectorOf(revision), { labels });
  put(...webhooks, 'istio-revision-tag-prod', injectorOf('prod'), {
    labels: { ...labels, 'istio.io/tag': 'prod' },
  });
  put('v1', 'Namespace', namespace, {}, { labels: { 'topology.istio.io/network': network } });
  const { image = 'docker.io/istio/pilot:1.30.2-distroless', clusterId = cluster } = istio;
  const env = Object.entries({ CLUSTER_ID: clusterId, ...istio.env }).map(([name, value]) => ({
    name,
    value,
  }));
  const discovery = { name: 'discovery', image, env };
  const status = { observedGeneration: 0, replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const deployment = { spec: { replicas: 1, template: { spec: { containers: [discovery] } } }, status };
  put('apps/v1', 'Deployment', `istiod-${revision}`, deployment, { ...here, labels: { app: 'istiod' } });
  const mesh = stringify({ rootNamespace: namespace, accessLogEncoding: 'JSON', ...istio.meshConfig });
  const networks = istio.meshNetworks === undefined ? {} : { meshNetworks: stringify(istio.meshNetworks) };
  put('v1', 'ConfigMap', `istio-${revision}`, { data: { mesh, ...networks } }, here);
  const config = stringify({ policy: istio.policy ?? 'enabled' });
  const values = JSON.stringify({ pilot: { cni: { enabled: true } }, ...istio.values });
  put('v1', 'ConfigMap', `istio-sidecar-injector-${revision}`, { data: { values, config } }, here);
  put('v1', 'ConfigMap', 'istio-ca-root-cert', { data: { 'root-cert.pem': istio.root } }, here);
  const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
  put('v1', 'Pod', 'istiod-1', ready, { ...here, labels: { app: 'istiod' } });
  if (eastWest !== 'none') {
    const selector = { app: 'crossing' };
    const ingress = eastWest.map((ip) => ({ ip }));
    const spec = { selector, ports: [{ port: 15443 }], ...istio.eastWestSpec };
    const service = { spec, status: { loadBalancer: { ingress } } };
    const annotations = istio.eastWestAnnotations ?? {};
    const own = {
      namespace: 'edge-of-others',
      labels: { 'topology.istio.io/network': network },
      annotations,
    };
    put('v1', 'Service', 'crossing', service, own);
    put('v1', 'Pod', 'crossing-1', ready, { namespace: own.namespace, labels: selector });
  }
  api.admit = (pod) => (injects(api, pod) ? withProxy(pod) : pod);
  api.run = (pod, command) => {
    if (pod === 'istiod-1')
      return {
        stdout: JSON.stringify(
          Object.entries(istio.knows).map(([id, syncStatus]) => ({ id, secretName: id, syncStatus })),
        ),
      };
    if (pod !== 'crossing-1') return undefined;
    const url = command[command.indexOf('--url') + 1] ?? '';
    const said = url.includes('192.0.2.9') ? cutOff : 'dial tcp: connect: connection refused';
    return { stderr: `Error: timeout. Last error: Get "${url}": ${said}\n`, exitCode: 255 };
  };
}

/** The webhooks of a revision or tag, as the chart of istiod and `istioctl tag` make them. */
export function injectorOf(name: string): { readonly webhooks: readonly object[] } {
  const [injection, rev, inject] = ['istio-injection', 'istio.io/rev', 'sidecar.istio.io/inject'];
  const expression = (key: string | undefined, operator: string, ...values: readonly string[]) => ({
    ...{ key, operator },
    ...(values.length > 0 && { values }),
  });
  const notDeclined = expression(inject, 'NotIn', 'false');
  const webhook = (kind: string, ofNamespace: readonly object[], ofPod: readonly object[]) => ({
    name: `${kind}.sidecar-injector.istio.io`,
    clientConfig: { service: { name: `istiod-${revision}`, namespace } },
    failurePolicy: 'Ignore',
    namespaceSelector: { matchExpressions: ofNamespace },
    objectSelector: { matchExpressions: ofPod },
  });
  const absent = [expression(rev, 'DoesNotExist'), expression(injection, 'DoesNotExist')];
  const ofRevision = [
    webhook(
      'rev.namespace',
      [expression(rev, 'In', name), expression(injection, 'DoesNotExist')],
      [notDeclined],
    ),
    webhook('rev.object', absent, [notDeclined, expression(rev, 'In', name)]),
  ];
  if (name !== 'default') return { webhooks: ofRevision };
  const ofDefault = [
    webhook('namespace', [expression(injection, 'In', 'enabled')], [notDeclined]),
    webhook('object', absent, [expression(inject, 'In', 'true'), expression(rev, 'DoesNotExist')]),
  ];
  return { webhooks: [...ofRevision, ...ofDefault] };
}

/** Whether one of the webhooks selects a pod, and istiod then gives it a proxy by its policy. */
function injects(
  api: KubeApi,
  { kind, metadata: { namespace: home = '', labels = {} } }: KubeObject,
): boolean {
  if (kind !== 'Pod') return false;
  const live = api.get({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: home } });
  const ofNamespace = field(live, 'metadata', 'labels') as Readonly<Record<string, string>> | undefined;
  const all = { ...ofNamespace, 'kubernetes.io/metadata.name': home };
  const selected = [...api.objects.values()]
    .filter((object) => object['kind'] === 'MutatingWebhookConfiguration')
    .flatMap((object) => list(object, 'webhooks'))
    .some(
      (each) =>
        selects(field(each, 'namespaceSelector'), all) && selects(field(each, 'objectSelector'), labels),
    );
  const metadata = { name: `istio-sidecar-injector-${revision}`, namespace };
  const config = text(api.get({ apiVersion: 'v1', kind: 'ConfigMap', metadata }), 'data', 'config') ?? '';
  const asks = labels['sidecar.istio.io/inject'];
  const policy = text(parse(config), 'policy');
  return selected && (policy === 'enabled' ? asks !== 'false' : policy === 'disabled' && asks === 'true');
}

function withProxy(pod: KubeObject): KubeObject {
  const spec = field(pod, 'spec') as object;
  return { ...pod, spec: { ...spec, initContainers: [{ name: 'istio-proxy', restartPolicy: 'Always' }] } };
}
