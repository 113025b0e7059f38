import type { Mesh } from '../charts/constructs/mesh.ts';
import { synthesize } from '../charts/synth.ts';
import { lockApps } from '../images/lock-apps.ts';
import { readLock, writeLock } from '../images/lock.ts';
import type { LabUp } from './lab/index.ts';
import type { UpFlags } from './up-flags.ts';
import { labEnvironment, loadDeclaration } from './workspace/declaration.ts';
import { chooseTarget } from './workspace/target.ts';
import type { Workspace } from './workspace/workspace.ts';

/** `npm run up`: from nothing, or from any state in between, to a mesh that real calls have proved. */
export async function up(at: Workspace, flags: UpFlags, signal: AbortSignal): Promise<number> {
  const started = Date.now();
  const declared = (await loadDeclaration(at.root)).mesh({ root: at.root, environment: labEnvironment });
  const { record, config } = chooseTarget(at, flags, declared);
  const lab = record.lab ? await planLab(at, flags, declared) : undefined;
  if (lab === undefined) {
    const { openClients } = await import('../infra/kube/connection.ts');
    openClients(Object.keys(config.access), config.access);
  }
  const { base } = readLock(at.root);
  // Loaded while other processes bundle the apps: together that is half the time of an `up` that changes nothing.
  const [apps, { bringUp }] = await Promise.all([lockApps(at.root, base), import('./bring-up.ts')]);
  // Only now, when the flags are right.
  writeLock(at.root, { base, apps });
  const mesh = { rendered: synthesize(declared), model: declared.model() };
  const bring = (until: AbortSignal) => bringUp(at, { flags, mesh, lab, config, started }, until);
  return lab === undefined ? bring(signal) : lab.whileDaemonsRun(signal, bring);
}

/** Loaded when it is needed: what brings the mesh up in clusters that are there knows nothing of labs. */
async function planLab(at: Workspace, { labSubnet }: UpFlags, declared: Mesh<string>): Promise<LabUp> {
  const { labUp } = await import('./lab/index.ts');
  const lab = labUp(at, declared.clusters, labSubnet);
  await lab.check();
  return lab;
}
