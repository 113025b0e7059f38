// gRPC's own interop client, in Go, against a service on our runtime: pod to pod, through the proxies of both and, from one
// cluster to the other, the east-west gateway. 0-interop.e2e.ts runs the same cases without a mesh.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { interopCases } from '../interop/cases.ts';
import { ensureInterop } from '../peers/interop.ts';
import { callMany, eventually, status } from './calls/call.ts';
import {
  clientFolder,
  clientIn,
  installClient,
  interopMesh,
  interopProject,
  runCase,
  serverOf,
} from './meshes/interop-mesh.ts';
import { ensureLab } from './checkout/lab.ts';
import { applyVariant } from './checkout/variant.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
const ways = [
  { from: 'east', to: 'west' },
  { from: 'west', to: 'east' },
  { from: 'west', to: 'west' },
] as const;
const nobodyHas = '/grpc.testing.UnimplementedService/UnimplementedCall';

const call = ({ from, to }: (typeof ways)[number], path: string, count = 1) =>
  callMany(clientIn(from), { address: `${serverOf(to).host}:50051`, path, count, connections: count });

beforeAll(async () => {
  const programs = await ensureInterop({ ...thisWorkspace(), report: () => undefined });
  await ensureLab();
  const project = await interopProject();
  try {
    await applyVariant(interopMesh(project.root), { change: clientFolder });
  } finally {
    project.remove();
  }
  for (const cluster of clusters) installClient(cluster, programs['interop-client']);
}, 60 * minute);

describe.each(ways)('from $from to $to', (way) => {
  beforeAll(async () => {
    await eventually('a call', status.ok, () => call(way, '/grpc.testing.TestService/EmptyCall', 8));
  });

  test.each(interopCases)('%s', (testCase) => {
    runCase(way.from, way.to, testCase);
  });

  test('a case that this server does not pass is seen to fail', () => {
    expect(() => {
      runCase(way.from, way.to, 'orca_per_rpc');
    }).toThrow('received ORCA load report');
  });

  test('what no server has is answered by the server where policy lets it through, else by its proxy', () => {
    expect(call(way, nobodyHas)[0]).toMatchObject({
      status: status.unimplemented,
      message: `The server does not implement the method ${nobodyHas}`,
    });
    expect(call(way, '/grpc.testing.UnimplementedService/Other')[0]).toMatchObject({
      status: status.permissionDenied,
    });
  });
});
