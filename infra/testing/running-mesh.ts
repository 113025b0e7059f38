import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { grantAccess } from '../remote/remote-access.ts';
import { readRemoteSecret, remoteSecret } from '../remote/remote-secret.ts';
import { collectStatus } from '../status/mesh-status.ts';
import type { MeshStatus, UnfinishedUp } from '../status/mesh-status.ts';
import { ensureTrust } from '../trust/folder.ts';
import { cacertsSecret } from '../trust/objects.ts';
import { addControlPlane, addRemoteReader } from './control-plane.ts';
import type { ControlPlane } from './control-plane.ts';
import { KubeApi } from './kube-api.ts';
import { modelOf } from './models.ts';

const names = ['east', 'west', 'north'] as const;
type Name = (typeof names)[number];

/** When the calls across clusters were tried, by every status that is collected here. */
export const checked = '2030-01-01T00:00:00.000Z';

export const deployment = (namespace: string, name: string, replicas: number, ready = replicas) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas },
  status: { replicas, updatedReplicas: replicas, availableReplicas: ready, readyReplicas: ready },
});

/** The mesh `shop` as `up` leaves it in east and west; of north, the addresses of its gateways alone. */
export class RunningMesh {
  readonly east: KubeApi;
  readonly west: KubeApi;
  readonly #apis: Readonly<Record<Name, KubeApi>>;
  /** When the certificates of the control planes end, and their root's. */
  readonly notAfter: string;
  readonly rootNotAfter: string;

  private constructor(
    apis: Readonly<Record<Name, KubeApi>>,
    trust: { readonly notAfter: Date; readonly roots: string },
  ) {
    this.#apis = apis;
    this.east = apis.east;
    this.west = apis.west;
    this.notAfter = trust.notAfter.toISOString();
    this.rootNotAfter = new X509Certificate(trust.roots).validToDate.toISOString();
  }

  static async start(): Promise<RunningMesh> {
    const [east, west, north] = (await Promise.all(names.map((name) => KubeApi.start(name)))) as [
      KubeApi,
      KubeApi,
      KubeApi,
    ];
    const folder = mkdtempSync(join(tmpdir(), 'status-'));
    const { east: trust } = await ensureTrust(folder, 'shop', ['east'], 'istio-system');
    rmSync(folder, { recursive: true });
    if (trust === undefined) throw new Error('no trust of east');
    for (const api of [east, west]) {
      api.put({
        ...cacertsSecret('shop', 'istio-system', trust),
        metadata: { name: 'cacerts', namespace: 'istio-system' },
      });
      for (const [namespace, name] of [
        ['istio-ingress', 'istio-ingressgateway'],
        ['istio-eastwest', 'istio-eastwestgateway'],
      ] as const) {
        api.put(deployment(namespace, name, 1));
        api.put({
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name, namespace },
          status: { loadBalancer: { ingress: [{ ip: '10.0.0.9' }] } },
        });
      }
      api.put(deployment('istio-system', 'istiod', 1));
      api.put(deployment('shop', 'catalog', 2));
      api.put(deployment('shop', 'inventory', 1));
      const conditions = [{ type: 'Ready', status: 'True' }];
      api.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status: { conditions } });
    }
    // A load balancer with a host name, as AWS makes them.
    for (const gateway of ['ingress', 'eastWest'] as const) {
      const { name, namespace } = modelOf(['north'])[gateway];
      const status = { loadBalancer: { ingress: [{ hostname: 'lb.north.example' }] } };
      north.put({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, status });
    }
    return new RunningMesh({ east, west, north }, trust);
  }

  async stop(): Promise<void> {
    await Promise.all(Object.values(this.#apis).map((api) => api.stop()));
  }

  /** Gives east and west new control planes, with new tokens for each other. */
  async renew(): Promise<Readonly<Record<'east' | 'west', ControlPlane>>> {
    const { east, west } = this;
    const planes = { east: addControlPlane(east), west: addControlPlane(west) };
    for (const api of [east, west]) addRemoteReader(api);
    await open(east, west);
    await open(west, east);
    return planes;
  }

  /** @param ok - whether the calls across clusters are answered */
  collect(
    ok = true,
    model: MeshModel = modelOf(['east', 'west']),
    unfinishedUp?: UnfinishedUp,
  ): Promise<MeshStatus> {
    return collectStatus(model, {
      engine: 'apply',
      ...(unfinishedUp && { unfinishedUp }),
      access: Object.fromEntries(
        Object.entries(this.#apis).map(([context, { kubeconfig }]) => [context, { kubeconfig, context }]),
      ),
      probe: () => Promise.resolve({ ok, checked }),
    });
  }
}

/** What `up` leaves: a remote secret with a token. */
async function open(reader: KubeApi, remote: KubeApi): Promise<void> {
  const secret = await grantAccess({
    mesh: 'shop',
    namespace: 'istio-system',
    reader: reader.client,
    remote: remote.client,
    server: remote.client.server,
    settings: { generation: 1, tokenDays: 30 },
    report: () => undefined,
  });
  reader.put({ ...secret, metadata: { ...secret.metadata } });
}

/** When the token of `reader` for `remote` ends. */
export function tokenEnd(reader: KubeApi, remote: 'east' | 'west'): string {
  const secret = reader.get(remoteSecret('shop', remote, 'istio-system', { server: '', ca: '', token: '' }));
  const expires = readRemoteSecret(remote, secret as unknown as KubeObject)?.claims?.expires ?? 0;
  return new Date(expires * 1000).toISOString();
}
