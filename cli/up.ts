import { writeDist } from '../charts/dist.ts';
import { synthesize } from '../charts/synth.ts';
import { takeLock } from '../core/lock.ts';
import { refreshLock } from '../images/lock.ts';
import { connect, openClients } from '../infra/kube/connection.ts';
import { planMesh } from '../infra/plan/plan.ts';
import { preflightMesh } from '../infra/preflight/preflight.ts';
import { isHealthy } from '../infra/status/mesh-status.ts';
import { withIssuer } from '../infra/trust/issuer.ts';
import { awaitTrust } from '../infra/trust/proxies.ts';
import { describeTrust } from '../infra/trust/state.ts';
import { shop } from '../mesh.ts';
import { ensureTools } from '../toolchain/build.ts';
import { applyMesh, type AppliedMesh } from './apply-mesh.ts';
import type { LabUp } from './lab/lab-up.ts';
import { proofsOf } from './proofs/all.ts';
import { ProvedOnce } from './proofs/due.ts';
import { ingressUrls } from './proofs/ingress.ts';
import type { ProofContext } from './proofs/proof.ts';
import { prove } from './proofs/prove.ts';
import { writeRecord } from './record.ts';
import { formatStatus } from './status.ts';
import { statusOf } from './status-of.ts';
import type { SynthesizedMesh } from './synth-mesh.ts';
import { chooseTarget, type Target, type TargetFlags } from './target.ts';
import { runTasks, type Task } from './tasks.ts';
import type { Workspace } from './workspace.ts';

export interface UpFlags extends TargetFlags {
  readonly labSubnet?: string;
  readonly prove?: boolean;
}

/** `npm run up`: from nothing, or from any state in between, to a mesh that real calls have proved. */
export async function up(at: Workspace, flags: UpFlags, signal: AbortSignal): Promise<number> {
  const started = Date.now();
  const declared = shop(at.root);
  const chosen = chooseTarget(at, flags, declared);
  const lab = chosen.record.lab ? await planLab(at, flags, declared, signal) : undefined;
  if (lab === undefined) openClients(Object.keys(chosen.config.access), chosen.config.access);
  // Nothing is written before the flags are right.
  await refreshLock(at.root);
  const mesh = { rendered: synthesize(declared), model: declared.model() };
  const { model } = mesh;
  // Nothing is recorded of clusters that the plan must not touch: `down` would touch them.
  if (lab === undefined) await preflightClusters(mesh, chosen, signal);
  const lock = takeLock(at.lockFile, 'npm run up');
  try {
    // Again, now that nobody else can change what is up.
    const { record, config } = chooseTarget(at, flags, model);
    let istioctl = lab?.istioctl;
    let applied: AppliedMesh | undefined;
    let proved: ProvedOnce | undefined;
    const steps: (Task | readonly Task[])[] = [
      { title: 'dist', run: (report) => writeYaml(at, mesh, report) },
      ...(lab?.steps(model) ?? [
        {
          title: 'tools: istioctl',
          run: async (report) => {
            const { root, cacheDir, logsDir } = at;
            const tools = await ensureTools({ root, cacheDir, logsDir, sets: ['istio'], report, signal });
            istioctl = () => tools.istioctl;
          },
        },
      ]),
      {
        title: `mesh, applied by ${record.engine === 'pulumi' ? 'Pulumi' : 'server-side apply'}`,
        run: async (report) => {
          writeRecord(at.stateDir, record);
          if (istioctl === undefined) throw new Error('istioctl is made by an earlier step');
          proved = new ProvedOnce(at.stateDir);
          applied = await applyMesh(at, record, { ...config, istioctl: istioctl() }, mesh, report, signal);
        },
      },
    ];
    await runTasks(steps);
    if (applied === undefined || proved === undefined) throw new Error('the steps ran');
    const proofs = proofsOf(model);
    const disturbing = proofs.filter(({ concerns }) => concerns !== undefined);
    const due = proved.due(disturbing, applied.touched);
    // Others use clusters that are no lab: nothing is taken away there unasked.
    const chosenProofs = flags.prove ? disturbing : record.lab ? due : [];
    const clients = await connect(Object.keys(record.access), record.access, signal);
    const seen: string[] = [];
    let context: ProofContext | undefined;
    const calls = async (report: (line: string) => void) => {
      context = { model, clients, ingress: await ingressUrls(model, clients, signal), signal };
      seen.push(
        ...(await prove(
          proofs.filter((proof) => !disturbing.includes(proof)),
          context,
          report,
        )),
      );
    };
    const known = proved;
    await runTasks([
      [
        {
          title: 'certificates of every proxy',
          run: async (report) => {
            const namespace = model.controlPlane.namespace;
            for (const { cluster, proxies, state } of await awaitTrust(
              Object.values(clients),
              namespace,
              report,
              signal,
            ))
              report(`${cluster}: ${proxies} proxies have those of ${describeTrust(state)}`);
          },
        },
        { title: 'proofs by real calls', run: calls },
      ],
      // One at a time: each takes away what another one may call.
      ...chosenProofs.map((proof) => ({
        title: 'proof that disturbs',
        run: async (report: (line: string) => void) => {
          if (context === undefined) throw new Error('the calls were proved before');
          seen.push(...(await prove([proof], context, report)));
          known.add(proof);
        },
      })),
    ]);
    const status = await statusOf(record, model, signal);
    const seconds = Math.round((Date.now() - started) / 1000);
    process.stdout.write(
      `\n${formatStatus(status)}\n\nproved by real calls:\n${seen.map((line) => `  ${line}\n`).join('')}`,
    );
    for (const { title } of disturbing.filter((proof) => !chosenProofs.includes(proof))) {
      const why = due.some((proof) => proof.title === title) ? 'not proved' : 'proved by an earlier up';
      process.stdout.write(`  ${why}: ${title} (--prove proves it now)\n`);
    }
    process.stdout.write(`\n${applied.summary}; ${seconds} s in all\n`);
    return isHealthy(status) ? 0 : 1;
  } catch (error) {
    const parts = signal.aborted ? undefined : lab?.parts();
    if (parts !== undefined) process.stderr.write(`\n${parts}\n\n`);
    throw error;
  } finally {
    lock.release();
  }
}

/** Loaded when it is needed: what brings the mesh up in clusters that are there knows nothing of labs. */
async function planLab(
  at: Workspace,
  { labSubnet }: UpFlags,
  declared: ReturnType<typeof shop>,
  signal: AbortSignal,
): Promise<LabUp> {
  const { labUp } = await import('./lab/lab-up.ts');
  const lab = labUp(at, declared.clusters, labSubnet, signal);
  await lab.check();
  return lab;
}

async function preflightClusters(
  { model, rendered }: SynthesizedMesh,
  { config }: Target,
  signal: AbortSignal,
): Promise<void> {
  const { access, trustDir, trust, remoteAccess } = config;
  await preflightMesh(withIssuer(planMesh(model, rendered), trust.issuer), {
    ...{ access, trustDir, trust, remoteAccess, signal },
    preview: true,
  });
}

function writeYaml(
  at: Workspace,
  { rendered }: SynthesizedMesh,
  report: (line: string) => void,
): Promise<void> {
  const changed = writeDist(at.root, rendered);
  report(changed.length === 0 ? 'nothing changed' : `changed: ${changed.join(', ')}`);
  return Promise.resolve();
}
