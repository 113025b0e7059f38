import { join } from 'node:path';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { ensureNats } from '../../nats/nats.ts';
import { writeOciArchive } from '../../peers/oci-archive.ts';
import type { Caller } from '../calls/call.ts';
import type { Finished } from '../checkout/cli.ts';
import type { Cluster } from '../checkout/lab-mesh.ts';
import { ensureLab, kubectl } from '../checkout/lab.ts';
import type { ImageProject } from './image-project.ts';

/** The image of NATS' own server, as its pods name it. Nobody could pull it. */
export const image = 'registry.example/nats:2.15.3';

/** Builds the server where it is not there yet, and brings the lab to a project that runs it. */
export async function upWithNats(project: ImageProject, ...flags: readonly string[]): Promise<Finished> {
  const server = await ensureNats({ ...thisWorkspace(), report: () => undefined });
  await ensureLab();
  await writeOciArchive(join(project.folder, 'nats.tar'), { 'nats-server': server }, 1000);
  project.bring({ [image]: 'nats.tar' });
  return project.run('up', '--engine', 'apply', ...flags);
}

/** A caller of the servers, whose pods have Node. */
export type Reader = 'reader' | 'auditor';

/** A pod of a caller. */
export const readerIn = (cluster: Cluster, name: Reader): Caller => ({
  ...{ cluster, namespace: 'shop', target: `deployment/${name}`, container: 'inventory' },
});

/** The image of the callers' pods in a cluster. */
export function readerImage(cluster: Cluster): string {
  return kubectl(cluster, '-n', 'shop', 'get', 'deployment/reader', '-o', 'jsonpath={..containers[0].image}');
}
