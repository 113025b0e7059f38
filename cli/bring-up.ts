import { writeDist } from '../charts/dist.ts';
import { takeLock } from '../core/lock.ts';
import { ProblemsError, throwIfAny } from '../core/problem.ts';
import { connect } from '../infra/kube/connection.ts';
import { pool } from '../infra/kube/pool.ts';
import type { StackConfig } from '../infra/plan/stack-config.ts';
import { planMesh } from '../infra/plan/plan.ts';
import { readIdentity, type MeshIdentity } from '../infra/preflight/identity.ts';
import { preflightMesh } from '../infra/preflight/preflight.ts';
import { isHealthy } from '../infra/status/mesh-status.ts';
import { withSigner } from '../infra/trust/signer.ts';
import { rootKeysIn } from '../infra/trust/roots.ts';
import { awaitTrust } from '../infra/trust/proxies.ts';
import { describeTrust } from '../infra/trust/state.ts';
import { ensureTools } from '../toolchain/build.ts';
import { applyMesh, type AppliedMesh } from './apply-mesh.ts';
import type { LabUp } from './lab/index.ts';
import { allOrProblems } from '../core/all-or-problems.ts';
import { proofsOf, refuseNothing } from './proofs/all.ts';
import { ProvedOnce, type Touched } from './proofs/due.ts';
import { beginProofs, type Outcome } from './proofs/early.ts';
import { ingressUrls } from './proofs/ingress.ts';
import { prove, type Proof } from './proofs/proof.ts';
import {
  otherMesh,
  readRecord,
  recordFailure,
  recordStart,
  withIdentity,
  withMesh,
  withoutLeft,
  writeRecord,
  type UpRecord,
} from './workspace/record.ts';
import { checkLeft, removeLeft } from './remove-left.ts';
import { statusOf } from './status-of.ts';
import { formatEnding } from './output/summary.ts';
import type { FilledMesh, SynthesizedMesh } from './workspace/synth-mesh.ts';
import { chooseTarget } from './workspace/target.ts';
import { runTasks, type Task } from './output/tasks.ts';
import type { UpFlags } from './up-flags.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface BringUp {
  readonly flags: UpFlags;
  readonly mesh: FilledMesh;
  /** Undefined in clusters that are there. */
  readonly lab: LabUp | undefined;
  readonly config: StackConfig;
  /** In milliseconds since the epoch. */
  readonly started: number;
}

/** The second half of `up`, once flags and declaration are right: brings clusters and mesh up, and proves them. */
export async function bringUp(at: Workspace, asked: BringUp, signal: AbortSignal): Promise<number> {
  const { flags, mesh, lab, started } = asked;
  const { model } = mesh;
  const proofs = proofsOf(model);
  refuseNothing(proofs, model);
  const plan = planMesh(model, mesh.rendered);
  throwIfAny(otherMesh(readRecord(at.stateDir), plan));
  // Nothing is recorded of clusters that the plan must not touch: `down` would touch them.
  if (lab === undefined) {
    await preflightClusters(at, asked, signal);
    await checkLeft(at, chooseTarget(at, flags, model, mesh.environment).record, signal);
  }
  const lock = takeLock(at.lockFile, 'npm run up');
  try {
    // Again, now that nobody else can change what is up.
    const { record: chosenRecord, config } = chooseTarget(at, flags, model, mesh.environment);
    const before = readRecord(at.stateDir);
    const record = withIdentity(withMesh(chosenRecord, before, plan), before);
    const istioctl = await makeClusters(at, mesh, lab, signal);
    const proved = new ProvedOnce(at.stateDir);
    const { steady, kept } = proofs;
    const using = { ...config, ...(istioctl !== undefined && { istioctl }) };
    let due: readonly Proof[] = [];
    const choose = (touched: Touched) => {
      due = proved.due(kept, touched);
      return flags.prove === true ? kept : due;
    };
    const work = { record, mesh, config: using, steady, choose, proved };
    const { applied, chosen, seen } = await applyAndProve(at, work, signal);
    // Others use clusters that are no lab: nothing is taken away there unasked.
    const disturbing =
      record.lab || flags.prove === true ? chosen.filter(({ disturbs }) => disturbs === true) : [];
    const lines = [...seen, ...(await disturb(disturbing, work, signal))];
    // Only now: calls went to these clusters until the others were applied.
    await removeLeft(at, record, config.trustDir, signal);
    const ended = withoutLeft(record, Object.keys(record.left ?? {}));
    const status = await statusOf(ended, model, signal);
    const seconds = Math.round((Date.now() - started) / 1000);
    writeRecord(at.stateDir, await identified(ended, mesh, signal));
    const made = chosen.filter((proof) => proof.disturbs !== true || disturbing.includes(proof));
    const remarks = kept
      .filter((proof) => !made.includes(proof))
      .map((proof) => {
        const why = due.includes(proof) ? 'not proved' : 'proved by an earlier up';
        return `${why}: ${proof.title} (--prove proves it now)`;
      });
    if (!record.lab && model.existing === undefined)
      remarks.push(...rootKeysIn(config.trustDir).map(rootKeyRemark));
    const ending = { model, record, status, proved: lines, remarks, applied: applied.summary, seconds };
    process.stdout.write(`\n${formatEnding(ending)}\n`);
    return isHealthy(status) ? 0 : 1;
  } catch (error) {
    // A daemon that keeps ending ends all that waits, each with an error of its own.
    const failed = signal.reason instanceof ProblemsError;
    recordFailure(at.stateDir, failed ? signal.reason : error);
    const parts = signal.aborted && !failed ? undefined : lab?.parts();
    if (parts !== undefined) process.stderr.write(`\n${parts}\n\n`);
    throw error;
  } finally {
    lock.release();
  }
}

function rootKeyRemark(file: string): string {
  return `the key of the root CA is in ${file}, beside the CAs that it signed: keep it somewhere else; up asks for it when it is needed (docs/trust.md)`;
}

async function preflightClusters(
  at: Workspace,
  { mesh, config }: BringUp,
  signal: AbortSignal,
): Promise<void> {
  const { access, trustDir, trust, remoteAccess } = config;
  const plan = withSigner(planMesh(mesh.model, mesh.rendered), trust);
  const before = readRecord(at.stateDir);
  const earlierNamespaces = before?.namespaces ?? [];
  const identity = identityFor(mesh, before);
  const settings = { access, trustDir, trust, remoteAccess, earlierNamespaces, identity };
  await preflightMesh(plan, { ...settings, signal, preview: true });
}

/** What the clusters are to have of the mesh, as far as it is known before. */
function identityFor(
  { environment }: SynthesizedMesh,
  before: UpRecord | undefined,
): Pick<MeshIdentity, 'environment' | 'id'> {
  return { environment, ...(before?.identity && { id: before.identity.id }) };
}

/** The record with what tells the mesh from another one of its name, which all its clusters have now. */
async function identified(
  record: UpRecord,
  { model }: SynthesizedMesh,
  signal: AbortSignal,
): Promise<UpRecord> {
  const [client] = Object.values(await connect(Object.keys(record.access), record.access, signal));
  if (client === undefined || model.existing !== undefined) return record;
  const named = { mesh: model.name, controlPlaneNamespace: model.controlPlane.namespace };
  const { id } = (await readIdentity(client, named, signal)) ?? {};
  return id === undefined ? record : { ...record, identity: { id, trustDomain: model.trustDomain } };
}

/**
 * Writes the environment's part of dist/, and brings up what the mesh is to be applied to.
 * @returns the path of istioctl, which a mesh on an Istio of others does not need
 */
async function makeClusters(
  at: Workspace,
  { environment, model, dist: written }: FilledMesh,
  lab: LabUp | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { root, cacheDir, logsDir } = at;
  let istioctl = lab?.istioctl;
  const dist: Task = {
    title: 'dist',
    run: (report) => {
      const changed = writeDist(root, new Map([[environment, written]]));
      report(changed.length === 0 ? 'nothing changed' : `changed: ${changed.join(', ')}`);
      return Promise.resolve();
    },
  };
  const tools: Task = {
    title: 'tools: istioctl',
    run: async (report) => {
      const built = await ensureTools({ cacheDir, logsDir, sets: ['istio'], report, signal });
      istioctl = () => built.istioctl;
    },
  };
  const own = model.existing === undefined ? [tools] : [];
  await runTasks([dist, ...(lab?.steps(model, signal) ?? own)]);
  return istioctl?.();
}

interface Work {
  readonly record: UpRecord;
  readonly mesh: SynthesizedMesh;
  readonly config: StackConfig;
  /** Proofs that are made at every `up`. */
  readonly steady: readonly Proof[];
  /** Of the others, those to make after an apply that touched this. */
  readonly choose: (touched: Touched) => readonly Proof[];
  readonly proved: ProvedOnce;
}

/** Proves once the mesh is applied. Where an earlier `up` ended well, proofs begin at once, and count if nothing is changed. */
async function applyAndProve(
  at: Workspace,
  work: Work,
  signal: AbortSignal,
): Promise<{
  readonly applied: AppliedMesh;
  readonly chosen: readonly Proof[];
  readonly seen: readonly string[];
}> {
  const { record, mesh, config, steady, choose } = work;
  const { model } = mesh;
  const ended = Promise.withResolvers<Outcome>();
  const stands = ended.promise.then((outcome) => outcome !== 'failed');
  const before = readRecord(at.stateDir);
  const endedWell = before !== undefined && before.unfinishedUp === undefined;
  const earlier = { namespaces: before?.namespaces ?? [], outside: before?.outside ?? [] };
  let discard = (): void => undefined;
  let applied: AppliedMesh | undefined;
  let chosen: readonly Proof[] = [];
  let seen: readonly string[] = [];
  // Those of an Istio of others are theirs.
  const certificates: Task = {
    title: 'certificates of every proxy',
    run: async (report) => {
      if (!(await stands)) return; // the apply tells why
      const clients = Object.values(await connect(Object.keys(record.access), record.access, signal));
      for (const one of await awaitTrust(clients, model.controlPlane.namespace, report, signal))
        report(`${one.cluster}: ${one.proxies} proxies have the certificates of ${describeTrust(one.state)}`);
    },
  };
  await runTasks([
    [
      {
        title: `mesh, applied by ${record.engine === 'pulumi' ? 'Pulumi' : 'server-side apply'}`,
        run: async (report) => {
          try {
            recordStart(at.stateDir, record);
            const compared = (changesNothing: boolean) => {
              if (!changesNothing) discard();
            };
            const settled = () => {
              ended.resolve('unchanged');
            };
            applied = await applyMesh(at, record, config, mesh, {
              ...{ endedWell, earlier, report, compared, settled, signal },
              identity: identityFor(mesh, before),
            });
          } finally {
            ended.resolve(applied === undefined ? 'failed' : 'changed');
          }
        },
      },
      ...(model.existing === undefined ? [certificates] : []),
      {
        title: 'proofs by real calls',
        run: async (report) => {
          const proofs = beginProofs(
            steady,
            (until) => contextOf(record, mesh, until),
            endedWell && record.engine === 'apply',
            signal,
            report,
          );
          discard = proofs.discard;
          const outcome = await ended.promise;
          if (outcome !== 'failed')
            chosen = choose(outcome === 'unchanged' ? [] : (applied?.touched ?? 'unknown'));
          const probes = chosen.filter(({ disturbs }) => disturbs !== true);
          seen = (await allOrProblems([proofs.seen(outcome), makeKept(probes, work, report, signal)])).flat();
        },
      },
    ],
  ]);
  if (applied === undefined) throw new Error('the mesh was applied');
  return { applied, chosen, seen };
}

/** Makes proofs, and notes each that holds. */
async function makeKept(
  proofs: readonly Proof[],
  { record, mesh, proved }: Pick<Work, 'record' | 'mesh' | 'proved'>,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const make = async (proof: Proof) => {
    const [line = ''] = await prove([proof], await contextOf(record, mesh, signal), report);
    proved.add(proof);
    return line;
  };
  // A failure does not keep the others from being made.
  const made = await pool(proofs, atOnce, (proof) => Promise.allSettled([make(proof)]));
  return allOrProblems(
    made
      .flat()
      .map((one) =>
        one.status === 'fulfilled' ? Promise.resolve(one.value) : Promise.reject(one.reason as Error),
      ),
  );
}

/** Pods of proofs that start at the same time: each has a proxy of its own. */
const atOnce = 4;

/** Makes proofs that disturb, one at a time: each takes away what another one may call. */
async function disturb(
  proofs: readonly Proof[],
  work: Pick<Work, 'record' | 'mesh' | 'proved'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const seen: string[] = [];
  await runTasks(
    proofs.map((proof) => ({
      title: 'proof that takes a service away for a moment',
      run: async (report) => {
        seen.push(...(await makeKept([proof], work, report, signal)));
      },
    })),
  );
  return seen;
}

async function contextOf({ access }: UpRecord, { model }: SynthesizedMesh, signal: AbortSignal) {
  const clients = await connect(Object.keys(access), access, signal);
  return { model, clients, ingress: await ingressUrls(model, clients, signal), signal };
}
