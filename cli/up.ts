import type { Mesh } from '../charts/constructs/mesh.ts';
import { zonesOf } from '../charts/constructs/scope/cluster.ts';
import { lab as labPlatform } from '../charts/platforms.ts';
import { throwIfAny, type Problem } from '../core/problem.ts';
import { lockApps } from '../images/lock-apps.ts';
import { readLock, writeLock } from '../images/lock.ts';
import type { StackConfig } from '../infra/plan/stack-config.ts';
import { requireLab } from './lab-package.ts';
import type { LabUp } from './lab/index.ts';
import { tellLeft } from './remove-left.ts';
import type { UpFlags } from './up-flags.ts';
import { loadDeclaration } from './workspace/declaration.ts';
import { filledMesh, synthFilled } from './workspace/synth-mesh.ts';
import { chooseEnvironment, chooseTarget } from './workspace/target.ts';
import type { Workspace } from './workspace/workspace.ts';

/** `npm run up`: from nothing, or from any state in between, to a mesh that real calls have proved. */
export async function up(at: Workspace, flags: UpFlags, signal: AbortSignal): Promise<number> {
  const started = Date.now();
  const declaration = await loadDeclaration(at.root);
  const environment = chooseEnvironment(at, flags, declaration.environments);
  const declared = filledMesh(declaration, at.root, environment);
  const { record, config, accessFile } = chooseTarget(at, flags, declared, environment);
  if (record.stack === undefined)
    process.stdout.write(`up: ${whichEnvironment(environment, declaration.environments)}\n`);
  for (const line of tellLeft(record)) process.stdout.write(`up: ${line}\n`);
  if (record.lab) throwIfAny(labImageProblems(declared, environment));
  const lab = record.lab ? await planLab(at, flags, declared, config) : undefined;
  if (lab === undefined) {
    const { openClients } = await import('../infra/kube/connection.ts');
    openClients(Object.keys(config.access), config.access, accessFile);
  }
  const { base } = readLock(at.root);
  // Loaded while other processes bundle the apps: together that is half the time of an `up` that changes nothing.
  const [apps, { bringUp }] = await Promise.all([lockApps(at.root, base), import('./bring-up.ts')]);
  // Only now, when the flags are right.
  writeLock(at.root, { base, apps });
  const mesh = synthFilled(declaration, declared, { root: at.root, environment });
  await lab?.checkImages(mesh.model);
  const bring = (until: AbortSignal) => bringUp(at, { flags, mesh, lab, config, started }, until);
  return lab === undefined ? bring(signal) : lab.whileDaemonsRun(signal, bring);
}

/** The lab has the images that this machine builds, by the names that the lab's platform gives to them, and pulls none. */
function labImageProblems(
  { platform }: Pick<Mesh<string>, 'platform'>,
  environment: string,
): readonly Problem[] {
  const hubs = {
    imageHub: platform.imageHub,
    ...('istio' in platform && { 'istio.hub': platform.istio.hub }),
  };
  return Object.entries(hubs)
    .filter(([, hub]) => hub !== labPlatform.imageHub)
    .map(([key, hub]) => ({
      where: `environment ${environment}: platform.${key}`,
      what: 'is a registry, and the lab pulls no images: it has those that are built on this machine',
      received: hub,
      allowed: labPlatform.imageHub,
      fix: 'declare `platform: lab` for this environment, or bring it up in clusters of your own (--stack, --context)',
    }));
}

/** Contexts alone do not tell which environment they are for. */
function whichEnvironment(environment: string, environments: readonly string[]): string {
  const others = environments.filter((name) => name !== environment);
  const choice = others.length === 0 ? '' : `; --stack NAME takes another: ${others.join(', ')}`;
  return `the environment is ${environment}, as no --stack was given${choice}`;
}

/** Loaded when it is needed: what brings the mesh up in clusters that are there knows nothing of labs. */
async function planLab(
  at: Workspace,
  { labSubnet }: UpFlags,
  declared: Mesh<string>,
  { labImages = {} }: StackConfig,
): Promise<LabUp> {
  const { labUp } = await requireLab();
  const subnet = labSubnet === undefined ? {} : { subnet: labSubnet };
  // A cluster of the lab has one node, in the first of its zones.
  const clusters = declared.clusters.map((cluster) => ({ ...cluster, zone: zonesOf(cluster)[0] ?? '' }));
  const lab = labUp(at, clusters, { ...subnet, archives: labImages });
  await lab.check();
  return lab;
}
