import { refreshLock } from '../images/lock-apps.ts';
import { writeDist } from '../charts/dist.ts';
import { synthMesh } from './synth-mesh.ts';
import type { MeshModel } from '../charts/model/mesh-model.ts';
import type { RenderedStage } from '../charts/synth.ts';
import { takeLock } from '../core/lock.ts';
import { ProblemsError } from '../core/problem.ts';
import { applyPlan } from '../infra/apply/apply.ts';
import { connect } from '../infra/kube/connection.ts';
import { planMesh } from '../infra/plan/plan.ts';
import { preflightMesh } from '../infra/preflight/preflight.ts';
import type { StackConfig } from '../infra/plan/stack-config.ts';
import { collectStatus, isHealthy, type MeshStatus } from '../infra/status/mesh-status.ts';
import { withIssuer } from '../infra/trust/issuer.ts';
import { awaitTrust } from '../infra/trust/proxies.ts';
import { describeTrust } from '../infra/trust/state.ts';
import { defaultSubnet } from '../lab/addresses.ts';
import { formatParts, labParts } from '../lab/parts.ts';
import { readLabRecord } from '../lab/state.ts';
import { ensureTools } from '../toolchain/build.ts';
import { labUp } from './lab/lab-up.ts';
import { proofsOf } from './proofs/all.ts';
import { probeCrossCluster } from './proofs/cross-cluster.ts';
import { recordFailure, recordStart, writeRecord, type UpRecord } from './record.ts';
import { pulumiOptions } from './pulumi.ts';
import { formatEnding } from './summary.ts';
import { chooseTarget, type TargetFlags } from './target.ts';
import { runTasks, type Task } from './tasks.ts';
import type { Workspace } from './workspace.ts';

export interface UpFlags extends TargetFlags {
  readonly labSubnet?: string;
  readonly proveFailover?: boolean;
}

/** `npm run up`: from nothing, or from any state in between, to a mesh that real calls have proved. */
export async function up(at: Workspace, flags: UpFlags, signal: AbortSignal): Promise<number> {
  const started = Date.now();
  await refreshLock(at.root);
  const { model, rendered } = synthMesh(at.root);
  const chosen = chooseTarget(at, flags, model);
  const lab = chosen.record.lab ? labUp(at, model, labSubnet(at, flags), signal) : undefined;
  // Nothing is recorded of clusters that the plan must not touch: `down` would touch them.
  if (lab === undefined) {
    const { access, trustDir, trust, remoteAccess } = chosen.config;
    await preflightMesh(withIssuer(planMesh(model, rendered), trust.issuer), {
      access,
      trustDir,
      trust,
      remoteAccess,
      preview: true,
      signal,
    });
  } else await lab.check();
  const lock = takeLock(at.lockFile, 'npm run up');
  try {
    // Again, now that nobody else can change what is up.
    const { record, config } = chooseTarget(at, flags, model);
    const summary: string[] = [];
    let istioctl = lab?.istioctl;
    const steps: (Task | readonly Task[])[] = [
      { title: 'dist', run: (report) => synth(at, rendered, report) },
      ...(lab?.steps ?? [
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
          recordStart(at.stateDir, record);
          if (istioctl === undefined) throw new Error('istioctl is made by an earlier step');
          const using = { ...config, istioctl: istioctl() };
          summary.push(await applyMesh(at, record, using, model, rendered, report, signal));
        },
      },
      {
        title: 'certificates of every proxy',
        run: async (report) => {
          const clients = Object.values(await connect(Object.keys(record.access), record.access, signal));
          for (const seen of await awaitTrust(clients, model.controlPlane.namespace, report, signal))
            report(`${seen.cluster}: ${seen.proxies} proxies have those of ${describeTrust(seen.state)}`);
        },
      },
    ];
    await runTasks(steps);
    const failover = record.lab || flags.proveFailover === true;
    const seen = await prove(record, model, failover, signal);
    const status = await statusOf(record, model, signal);
    writeRecord(at.stateDir, record);
    const seconds = Math.round((Date.now() - started) / 1000);
    const remarks = failover
      ? []
      : ['not proved: failover, which scales a service to 0 for a moment (--prove-failover)'];
    const applied = summary.join('; ');
    process.stdout.write(
      `\n${formatEnding({ model, record, status, proved: seen, remarks, applied, seconds })}\n`,
    );
    return isHealthy(status) ? 0 : 1;
  } catch (error) {
    recordFailure(at.stateDir, error);
    const made = readLabRecord(at.stateDir);
    if (lab !== undefined && made !== undefined && !signal.aborted) {
      process.stderr.write(`\n${formatParts(labParts(at.stateDir, made.nodes))}\n\n`);
    }
    throw error;
  } finally {
    lock.release();
  }
}

function labSubnet(at: Workspace, flags: UpFlags): string {
  return flags.labSubnet ?? readLabRecord(at.stateDir)?.subnet ?? defaultSubnet;
}

function synth(
  at: Workspace,
  rendered: readonly RenderedStage[],
  report: (line: string) => void,
): Promise<void> {
  const changed = writeDist(at.root, rendered);
  report(changed.length === 0 ? 'nothing changed' : `changed: ${changed.join(', ')}`);
  return Promise.resolve();
}

async function applyMesh(
  at: Workspace,
  record: UpRecord,
  config: StackConfig,
  model: MeshModel,
  rendered: readonly RenderedStage[],
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  if (record.engine === 'pulumi') {
    // Loaded when it is needed: Pulumi's library takes longer to load than most commands to run.
    const { upWithPulumi } = await import('../infra/pulumi/pulumi-engine.ts');
    const { created, changed, deleted, unchanged } = await upWithPulumi(
      config,
      pulumiOptions(at, record, model, report, signal),
    );
    return `Pulumi: ${created} created, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged`;
  }
  const { created, changed, deleted, unchanged } = await applyPlan(planMesh(model, rendered), {
    ...config,
    report,
    signal,
  });
  return created + changed + deleted === 0
    ? `nothing to change: all ${unchanged} objects are as declared`
    : `${created} created, ${changed} changed, ${deleted} deleted, ${unchanged} unchanged`;
}

async function prove(
  record: UpRecord,
  model: MeshModel,
  failover: boolean,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const clients = await connect(Object.keys(record.access), record.access, signal);
  const { clusters } = await statusOf(record, model, signal);
  const missing = Object.entries(clusters).filter(([, { ingress }]) => ingress === null);
  if (missing.length > 0) {
    throw new ProblemsError(
      missing.map(([name]) => ({ where: `cluster ${name}`, what: 'its ingress gateway has no address' })),
      1,
    );
  }
  const ingress = Object.fromEntries(
    Object.entries(clusters).map(([name, { ingress }]) => [name, ingress ?? '']),
  );
  const seen: string[] = [];
  await runTasks(
    proofsOf(model, { failover }).map(({ title, run }) => ({
      title: `proof: ${title}`,
      run: async (report) => {
        const evidence = await run({ model, clients, ingress, signal });
        report(evidence);
        seen.push(`${title}: ${evidence}`);
      },
    })),
  );
  return seen;
}

/** The mesh's state, cross-cluster calls included. */
export function statusOf(record: UpRecord, model: MeshModel, signal: AbortSignal): Promise<MeshStatus> {
  return collectStatus(model, {
    engine: record.engine,
    access: record.access,
    ...(record.unfinishedUp && { unfinishedUp: record.unfinishedUp }),
    probe: (clusters) =>
      probeCrossCluster(
        model,
        Object.fromEntries(Object.entries(clusters).map(([name, { ingress }]) => [name, ingress])),
        signal,
      ),
    signal,
  });
}
