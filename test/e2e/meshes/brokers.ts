import { kubectl } from '../checkout/lab.ts';
import type { Conversation } from '../calls/tcp.ts';
import { declarationOf, imageProject } from './image-project.ts';
import { image } from './nats.ts';

/** The pods of `ledger`, a broker that keeps what it is told, by cluster. */
export const ledgers = { east: ['ledger-0', 'ledger-1'], west: ['ledger-0'] } as const;

/** What may be said otherwise of `ledger`, to see what comes of it. */
export interface LedgerVariant {
  /** Of the volume of each pod. @default 64Mi */
  readonly size?: string;
  /** Whether it is declared. @default true */
  readonly declared?: boolean;
}

/** By the name of the workload. `broker` has data of its own in each cluster, `shared` the same in both, `single` is in the west alone. */
export type Broker = 'broker' | 'shared' | 'single';

/**
 * NATS' own server, four times: `broker` on two ports, of which its callers may connect to one each, `shared` and `single`. The pods of `reader` and `auditor`
 * have Node, to connect by. `ledger` keeps messages on a volume of each pod.
 */
export const declaration = ({ size = '64Mi', declared = true }: LedgerVariant = {}) =>
  declarationOf({
    names: ['GrpcService', 'TcpService'],
    services: { 'shop/inventory/v1/inventory': ['InventoryService'] },
    body: `
    const resources = { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } };
    const nats = { image: '${image}', resources, shutdown: { drainSeconds: 1, graceSeconds: 20 } };
    const broker = new TcpService(shop, 'broker', {
      ...nats,
      ports: { client: 4222, monitor: { port: 8222, servicePort: 80 } },
      args: ['--addr=0.0.0.0', '--port=4222', '--http_port=8222'],
    });
    const shared = new TcpService(shop, 'shared', { ...nats, ports: { client: 4222 }, args: ['--addr=0.0.0.0'], replicated: true });
    const single = new TcpService(shop, 'single', { ...nats, ports: { client: 4222 }, args: ['--addr=0.0.0.0'], placement: ['west'] });
    const ledger = ${declared} && new TcpService(shop, 'ledger', {
      ...nats,
      ports: { client: 4222 },
      args: ['--addr=0.0.0.0', '--port=4222', '--jetstream', '--store_dir=/data'],
      stateful: { volumes: { data: { mountPath: '/data', size: '${size}' } } },
      clusters: { east: { replicas: 2 } },
    });
    const app = { app: 'apps/inventory', service: InventoryService };
    const reader = new GrpcService(shop, 'reader', app);
    reader.calls(broker.port.client, shared.port.client, single.port.client);
    if (ledger) reader.calls(ledger.port.client, ledger.pods.client);
    new GrpcService(shop, 'auditor', { ...app, placement: ['west'] }).calls(broker.port.monitor);`,
  });

/** A project of its own with this declaration, which brings the lab of the checkout to it. */
export const brokersProject = () => imageProject(declaration());

const host = (name: Broker) => `${name}.shop.svc.cluster.local`;

/** A client of the broker: it waits for the server's INFO, and asks whether the server hears it. */
export const client = (name: Broker, at = host(name)): Conversation => ({
  ...{ host: at, port: 4222, serverFirst: true },
  say: 'CONNECT {"verbose":false}\r\nPING\r\n',
  until: 'PONG',
});

/** A request to the store of a single pod of `ledger`, in the words of NATS' protocol, and what its answer has. */
const stored = (pod: string, subject: string, payload: string, until: string): Conversation => ({
  ...{ host: `${pod}.ledger-pods.shop.svc.cluster.local`, port: 4222, serverFirst: true, until },
  say: `CONNECT {"verbose":false}\r\nSUB answers 1\r\nPUB ${subject} answers ${payload.length}\r\n${payload}\r\n`,
});

/** Makes the store of a pod. */
export const makeStore = (pod: string): Conversation =>
  stored(pod, '$JS.API.STREAM.CREATE.KEPT', '{"name":"KEPT","subjects":["kept"]}', '"did_create":true');

/** Has a pod keep a text. */
export const keep = (pod: string, text: string): Conversation => stored(pod, 'kept', text, '"seq":');

/** Asks a pod for what it has kept last. */
export const askKept = (pod: string): Conversation =>
  stored(pod, '$JS.API.STREAM.MSG.GET.KEPT', '{"last_by_subj":"kept"}', '"data":"');

/** The text that a pod has kept, from its answer. */
export function keptText(received: string): string {
  return Buffer.from(/"data":"([^"]*)"/.exec(received)?.[1] ?? '', 'base64').toString();
}

/** A look at its metrics, where the client speaks first. */
export const monitor = (at = host('broker'), port = 80): Conversation => ({
  ...{ host: at, port },
  say: `GET /varz HTTP/1.1\r\nHost: ${host('broker')}\r\nConnection: close\r\n\r\n`,
  until: '"server_id"',
});

/** The id of the server that INFO, or its metrics, came from. */
export function serverId(received: string): string {
  return /"server_id": ?"(\w+)"/.exec(received)?.[1] ?? '';
}

/** The id of the server in a cluster, by its log. */
export function idIn(cluster: string, name: string): string {
  const log = kubectl(cluster, '-n', 'shop', 'logs', `deployment/${name}`, '-c', name);
  const id = /\bID: +(\w+)/.exec(log)?.[1];
  if (id === undefined) throw new Error(`the log of ${name} in ${cluster} has no id: ${log.slice(0, 500)}`);
  return id;
}

/** Scales it in a cluster, and waits until the pods are so many. */
export function scale(cluster: string, name: string, replicas: number): void {
  kubectl(cluster, '-n', 'shop', 'scale', `deployment/${name}`, `--replicas=${replicas}`);
  if (replicas > 0) {
    kubectl(cluster, '-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=90s');
    return;
  }
  const selector = `app.kubernetes.io/name=${name}`;
  kubectl(cluster, '-n', 'shop', 'delete', 'pods', '-l', selector, '--grace-period=1', '--timeout=60s');
}
