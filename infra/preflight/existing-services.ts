import type { ExistingCallerModel, ExistingServiceModel } from '../../charts/model/mesh-model.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan } from '../plan/plan.ts';
import { letsThrough } from './their-policies.ts';

interface Options {
  readonly warn: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * What is wrong with the services of others that the mesh calls, and with the callers of others: whether they are there, and
 * whether calls can get to them. In a namespace of the mesh that is not there yet there cannot be any: nothing is said of those.
 */
export async function existingProblems(
  clients: readonly KubeClient[],
  plan: Plan,
  options: Options,
): Promise<readonly Problem[]> {
  const { existingServices = [], existingCallers = [] } = plan;
  const found = await Promise.all([
    ...existingServices.flatMap((service) =>
      clients
        .filter(({ cluster }) => service.clusters.includes(cluster))
        .map((client) => serviceProblems(client, plan, service, options)),
    ),
    ...existingCallers.map((caller) => callerProblems(clients, plan, caller, options)),
  ]);
  return found.flat();
}

async function serviceProblems(
  client: KubeClient,
  plan: Plan,
  service: ExistingServiceModel,
  { warn, signal }: Options,
): Promise<readonly Problem[]> {
  const { name, namespace, callers } = service;
  const where = `${client.cluster}: Service ${namespace}/${name}`;
  const calls = callers.map((caller) => caller.where).join(', ');
  const live = await client.get(objectOf('Service', name, namespace), signal);
  if (live === undefined) {
    if (await isToCome(client, plan, namespace, signal)) return [];
    const what = `does not exist, and is declared as a service of others${calls === '' ? '' : ` that ${calls} calls`}`;
    const fix = `have its owners deploy it first, or leave ${client.cluster} out of its placement`;
    return [{ where, what, fix }];
  }
  if (text(live, 'spec', 'type') === 'ExternalName') return [externalName(where, live)];
  const denied = await Promise.all(
    callers.map(async (caller) => ({
      caller,
      denied: !(await letsThrough(client, plan, live, caller.principal, signal)),
    })),
  );
  for (const { caller } of denied.filter((each) => each.denied)) {
    warn(
      `${where}: no AuthorizationPolicy in namespace ${namespace} allows it calls of ${caller.where}, and the mesh denies what none allows: ` +
        `have its owners allow the principal ${caller.principal}`,
    );
  }
  return [...portProblems(where, live, service, warn), ...exportProblems(where, live, service)];
}

/** A name in DNS alone: it has no pods whose identity a proxy could ask for, and whoever owns the host answers. */
function externalName(where: string, live: KubeObject): Problem {
  return {
    where,
    what: 'is another name for a host (ExternalName), and has no pods: calls would leave without mutual TLS, past every policy',
    received: text(live, 'spec', 'externalName') ?? 'ExternalName',
    allowed: 'a Service with pods',
    fix: 'declare the Service that it stands for, or an ExternalService for a host outside of the mesh',
  };
}

/** What Istio takes for gRPC: over HTTP/2 (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/). */
const overHttp2 = ['grpc', 'grpc-web', 'http2', 'kubernetes.io/h2c'];

/** What it takes for anything else. */
const otherwise = [
  ...['http', 'https', 'http_proxy', 'mongo', 'mysql', 'redis', 'tcp', 'tls', 'udp'],
  ...['kubernetes.io/ws', 'kubernetes.io/wss'],
];

function portProblems(
  where: string,
  live: KubeObject,
  { port: declared }: ExistingServiceModel,
  warn: (line: string) => void,
): readonly Problem[] {
  const ports = list(live, 'spec', 'ports');
  const port = ports.find((each) => field(each, 'port') === declared);
  if (port === undefined) {
    const allowed = ports.map((each) => String(field(each, 'port'))).join(', ');
    const fix = 'declare the port by which it serves gRPC';
    return [{ where, what: 'has no such port', received: declared, allowed, fix }];
  }
  const [appProtocol, portName = ''] = [text(port, 'appProtocol'), text(port, 'name')];
  const stated = (appProtocol ?? portName).toLowerCase();
  const protocol = appProtocol === undefined ? (stated.split('-')[0] ?? '') : stated;
  if (overHttp2.includes(protocol)) return [];
  const place = `port ${declared} ${appProtocol === undefined ? 'is named' : 'has the appProtocol'}`;
  if (!otherwise.includes(protocol)) {
    warn(
      `${where}: port ${declared} does not say that it speaks gRPC, so that proxies guess it from the first bytes of each connection: ` +
        'have its owners set appProtocol: grpc',
    );
    return [];
  }
  return [
    {
      where,
      what: `${place} so that proxies do not take it for gRPC: each call would fail, or be one opaque connection`,
      received: appProtocol ?? portName,
      allowed: 'appProtocol grpc, or a name that begins with grpc',
      fix: 'have its owners correct it, or declare another port',
    },
  ];
}

/** The annotation that a Service is hidden from namespaces by. */
const exportTo = 'networking.istio.io/exportTo';

function exportProblems(
  where: string,
  live: KubeObject,
  { namespace, callers }: ExistingServiceModel,
): readonly Problem[] {
  const received = live.metadata.annotations?.[exportTo];
  if (received === undefined) return [];
  const shown = received.split(',').map((each) => each.trim());
  const hidden = callers.filter(
    (caller) =>
      !shown.includes('*') &&
      !shown.includes(caller.namespace) &&
      !(shown.includes('.') && caller.namespace === namespace),
  );
  return [...new Set(hidden.map((caller) => caller.namespace))].map((caller) => ({
    where,
    what: `its annotation ${exportTo} hides it from namespace ${caller}, whose workloads call it`,
    received,
    fix: `have its owners add ${caller}`,
  }));
}

async function callerProblems(
  clients: readonly KubeClient[],
  plan: Plan,
  { namespace, serviceAccount, callees }: ExistingCallerModel,
  { signal }: Options,
): Promise<readonly Problem[]> {
  const account = objectOf('ServiceAccount', serviceAccount, namespace);
  const seen = await Promise.all(
    clients.map(
      async (client) =>
        (await client.get(account, signal)) !== undefined ||
        (await isToCome(client, plan, namespace, signal)),
    ),
  );
  if (seen.some(Boolean)) return [];
  return [
    {
      where: `ServiceAccount ${namespace}/${serviceAccount}`,
      what: `exists in no cluster, and is declared as a caller of others${callees.length === 0 ? '' : ` of ${callees.join(', ')}`}`,
      fix: 'correct its name, or have its owners make it first',
    },
  ];
}

/** Whether a namespace is one that the plan makes, and has not made yet. */
async function isToCome(
  client: KubeClient,
  plan: Plan,
  name: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const planned = plan.steps
    .filter(({ cluster }) => cluster === client.cluster)
    .flatMap(({ objects }) => objects)
    .find(({ kind, metadata }) => kind === 'Namespace' && metadata.name === name);
  return planned !== undefined && (await client.get(planned, signal)) === undefined;
}

function objectOf(kind: string, name: string, namespace: string): KubeObject {
  return { apiVersion: 'v1', kind, metadata: { name, namespace } };
}
