// The cloud's part of a node: assigns an address to each Service of type LoadBalancer and adds it to the node's
// interface; kube-proxy does the rest. `node lab/node/load-balancer.ts SPEC.json`
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  V1LoadBalancerIngress,
  type V1Service,
} from '@kubernetes/client-node';
import {
  addressOf,
  allocate,
  hostNameAnnotation,
  hostNameOf,
  type ServiceKey,
} from './load-balancer-addresses.ts';
import { LoadBalancerProxies } from './load-balancer-proxies.ts';
import { inNode, nodePaths, nodeSpecSchema, type NodeSpec } from './spec.ts';

await serve(nodeSpecSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))));

async function serve(spec: NodeSpec): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(nodePaths(inNode.state).kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  const services = makeInformer<V1Service>(config, '/api/v1/services', () =>
    api.listServiceForAllNamespaces(),
  );
  const proxies = new LoadBalancerProxies(log);
  let work = Promise.resolve();
  const reconcile = () => {
    work = work
      .then(() => apply(services.list()))
      .catch((error: unknown) => {
        log(`cannot apply: ${String(error)}`);
        setTimeout(reconcile, 1_000);
      });
  };
  services.on('add', reconcile);
  services.on('update', reconcile);
  services.on('delete', reconcile);
  services.on('error', (error: unknown) => {
    log(`watch ended: ${String(error)}`);
    setTimeout(() => void services.start(), 1_000);
  });
  await services.start();

  async function apply(all: readonly V1Service[]): Promise<void> {
    const wanted = all.filter((service) => service.spec?.type === 'LoadBalancer');
    const { assigned, without } = allocate(spec.loadBalancers, wanted.map(toKey));
    setAddresses([...assigned.values()]);
    for (const name of without)
      log(`no address is left for ${name}: all ${spec.loadBalancers.length} are taken`);
    proxies.set(
      wanted.filter(hasHostName).flatMap((service) => {
        const [address, to] = [assigned.get(toKey(service).name), service.spec?.clusterIP];
        if (address === undefined || to === undefined) return [];
        return (service.spec?.ports ?? []).map(({ port }) => ({ address, port, to }));
      }),
    );
    for (const service of wanted) {
      const key = toKey(service);
      const address = assigned.get(key.name);
      if (address === undefined) continue;
      const entry = entryFor(service, address);
      const current = service.status?.loadBalancer?.ingress?.[0];
      if (current?.ip === entry.ip && current?.hostname === entry.hostname) continue;
      log(`${key.name} gets ${entry.hostname ?? address}`);
      await api.patchNamespacedServiceStatus({
        name: service.metadata?.name ?? '',
        namespace: service.metadata?.namespace ?? '',
        body: [{ op: 'add', path: '/status/loadBalancer', value: { ingress: [entry] } }],
      });
    }
  }

  /** Makes these the only load balancer addresses of eth0. */
  function setAddresses(wanted: readonly string[]): void {
    const shown = execFileSync('ip', ['-o', '-4', 'address', 'show', 'dev', 'eth0'], { encoding: 'utf8' });
    for (const address of spec.loadBalancers) {
      const present = shown.includes(`${address}/32`);
      if (wanted.includes(address) && !present)
        execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'eth0']);
      if (!wanted.includes(address) && present)
        execFileSync('ip', ['address', 'delete', `${address}/32`, 'dev', 'eth0']);
    }
  }
}

function hasHostName(service: V1Service): boolean {
  return service.metadata?.annotations?.[hostNameAnnotation] !== undefined;
}

function entryFor(service: V1Service, address: string): V1LoadBalancerIngress {
  const entry = hasHostName(service) ? { hostname: hostNameOf(address) } : { ip: address, ipMode: 'VIP' };
  return Object.assign(new V1LoadBalancerIngress(), entry);
}

function toKey(service: V1Service): ServiceKey {
  return {
    name: `${service.metadata?.namespace ?? ''}/${service.metadata?.name ?? ''}`,
    current: addressOf(service.status?.loadBalancer?.ingress?.[0] ?? {}),
  };
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
