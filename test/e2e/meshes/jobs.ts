import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../checkout/lab-mesh.ts';
import { kubectl } from '../checkout/lab.ts';
import { declarationOf, imageProject } from './image-project.ts';

/** The image of the server and of all jobs, as their pods name it: Python with gRPC's own library. Nobody could pull it. */
export const image = 'registry.example/grpc-python/server:1.85.1';

/** Calls the server in the other cluster once, and ends with the status of the call. */
const call = `
import grpc, sys
channel = grpc.insecure_channel("python.shop.svc.cluster.local:7071")
try:
    channel.unary_unary("/grpc.testing.TestService/EmptyCall")(b"", timeout=10)
except grpc.RpcError as error:
    print(error.code().name, error.details(), flush=True)
    sys.exit(error.code().value[0])
print("answered", flush=True)
`;

/** Fails the first time, and finds that at the second. */
const retry = `
import os, sys
if not os.path.exists("/scratch/tried"):
    open("/scratch/tried", "w").close()
    print("not yet", flush=True)
    sys.exit(1)
print("at the second try", flush=True)
`;

/** Says something, and goes on for longer than it may. */
const linger = `
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
print("row 17", flush=True)
time.sleep(600)
`;

const python = (program: string) => JSON.stringify(['/usr/bin/python3', '-c', program]);

/**
 * A server in the west, and jobs in the east that call it: `import` with the grant, `retried`, which needs two tries, and a CronJob, `report`.
 * @param failing - whether there are two that fail: `stranger`, which has no grant of the method it calls, and `slow`, which takes too long
 */
const declaration = (failing: boolean) =>
  declarationOf({
    names: ['CronJob', 'GrpcService', 'Job'],
    services: { 'grpc/testing/test': ['TestService'] },
    body: `
    const resources = { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } };
    const image = '${image}';
    const python = new GrpcService(shop, 'python', {
      ...{ image, service: TestService, port: 7071, args: ['7071'], resources, placement: ['west'] },
    });
    const job = { image, resources, placement: ['east'], activeDeadlineSeconds: 90 };
    new Job(shop, 'import', { ...job, command: ${python(call)} }).calls(python.method.emptyCall);
    new Job(shop, 'retried', {
      ...{ ...job, command: ${python(retry)}, restartPolicy: 'OnFailure' },
      pod: { volumes: { scratch: { emptyDir: { sizeLimit: '1Mi' } } }, mounts: { '/scratch': 'scratch' } },
    });
    new CronJob(shop, 'report', { ...job, schedule: '0 3 * * *', command: ${python(call)} }).calls(python.method.emptyCall);
    if (${failing}) {
      new Job(shop, 'stranger', { ...job, backoffLimit: 0, command: ${python(call)} }).calls(python.method.unaryCall);
      new Job(shop, 'slow', { ...job, activeDeadlineSeconds: 12, command: ${python(linger)} });
    }`,
  });

/** A project of its own with these jobs, which brings the lab of the checkout to it. */
export function jobsProject() {
  const project = imageProject(declaration(false));
  return {
    ...project,
    /** Declares the two that fail, or no longer. */
    fail: (failing: boolean) => {
      writeFileSync(join(project.folder, 'mesh.ts'), declaration(failing));
    },
  };
}

interface Container {
  readonly name: string;
  readonly restartCount: number;
  readonly state: { readonly terminated?: { readonly exitCode: number } };
}

/** A pod of a job, as far as it tells how it ended. */
export interface Ended {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly containerStatuses: readonly Container[];
    readonly initContainerStatuses: readonly Container[];
  };
}

/** The pods of a job, in whatever state. */
export function podsOf(cluster: Cluster, name: string): readonly Ended[] {
  const pods = ['-n', 'shop', 'get', 'pods', '-l', `app.kubernetes.io/name=${name}`, '-o', 'json'];
  return (JSON.parse(kubectl(cluster, ...pods)) as { readonly items: readonly Ended[] }).items;
}

/** Names of the Jobs that a cluster has. */
export function jobsIn(cluster: Cluster): readonly string[] {
  return kubectl(cluster, '-n', 'shop', 'get', 'jobs', '-o', 'jsonpath={.items[*].metadata.name}')
    .split(' ')
    .filter((name) => name !== '');
}
