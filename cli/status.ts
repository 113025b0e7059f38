import { synthMesh } from './synth-mesh.ts';
import { ProblemsError } from '../core/problem.ts';
import { isHealthy, type ControlPlaneStatus, type MeshStatus } from '../infra/status/mesh-status.ts';
import { readRecord } from './record.ts';
import { statusOf } from './status-of.ts';
import type { Workspace } from './workspace.ts';

export interface StatusFlags {
  readonly json?: boolean;
}

/** `npm run status`: what is up and how it does. Returns 0 when healthy, 1 when not. */
export async function status(at: Workspace, flags: StatusFlags, signal: AbortSignal): Promise<number> {
  const { model } = synthMesh(at.root);
  const record = readRecord(at.stateDir);
  if (record === undefined) {
    throw new ProblemsError(
      [{ where: model.name, what: 'is not up from this checkout', fix: 'run `npm run up`' }],
      1,
    );
  }
  const seen = await statusOf(record, model, signal);
  process.stdout.write(flags.json ? `${JSON.stringify(seen, null, 2)}\n` : `${formatStatus(seen)}\n`);
  return isHealthy(seen) ? 0 : 1;
}

/** The status as tables of plain lines. */
export function formatStatus(seen: MeshStatus): string {
  const clusters = [
    ['CLUSTER', 'CONTEXT', 'READY', 'NODES', 'ISTIO (PROXIES)', 'INGRESS', 'EAST-WEST', 'CA UNTIL'],
    ...Object.entries(seen.clusters).map(([name, cluster]) => [
      name,
      cluster.context,
      cluster.ready ? 'yes' : 'no',
      `${cluster.nodes}`,
      cluster.controlPlanes.map(formatControlPlane).join(', ') || '-',
      cluster.ingress ?? '-',
      cluster.eastWest ?? '-',
      cluster.certificateNotAfter?.slice(0, 10) ?? '-',
    ]),
  ];
  const names = Object.keys(seen.clusters);
  const services = [
    ['SERVICE', ...names.map((name) => `READY IN ${name.toUpperCase()}`)],
    ...Object.entries(seen.services).map(([service, replicas]) => [
      service,
      ...names.map((name) => {
        const there = replicas[name];
        return there === undefined ? '-' : `${there.ready}/${there.desired}`;
      }),
    ]),
  ];
  const { ok, checked } = seen.crossCluster;
  const links = Object.entries(seen.clusters).flatMap(([name, { remotes }]) =>
    Object.entries(remotes).map(([of, remote]) => ({ name, of, remote })),
  );
  const access = [
    ['CONTROL PLANE OF', 'READS', 'STATE', 'TOKEN UNTIL'],
    ...links.map(({ name, of, remote }) => [
      name,
      of,
      remote.problem === null ? remote.istiod : 'FAILED',
      remote.tokenNotAfter?.slice(0, 10) ?? '-',
    ]),
  ];
  const remarks = links.flatMap(({ name, of, remote: { problem, warning } }) => [
    ...(problem === null ? [] : [`FAILED: ${name} reads ${of}: ${problem}`]),
    ...(warning === null ? [] : [`warning: ${name} reads ${of}: ${warning}`]),
  ]);
  return [
    table(clusters),
    '',
    table(services),
    '',
    ...(links.length === 0 ? [] : [table(access), '']),
    ...(remarks.length === 0 ? [] : [...remarks, '']),
    `calls between clusters: ${ok ? 'answered' : 'FAILED'} (${checked}); applied by: ${seen.engine}`,
    ...trustLines(seen),
  ].join('\n');
}

/** What the clusters' trust is, once where it is the same, and what ends soon. */
function trustLines({ clusters }: MeshStatus): readonly string[] {
  const known = Object.entries(clusters).flatMap(([name, { trust }]) =>
    trust === null ? [] : [{ name, trust }],
  );
  const states = new Set(
    known.map(({ trust }) => `${trust.state}, root until ${trust.rootNotAfter.slice(0, 10)}`),
  );
  const warnings = known.flatMap(({ name, trust }) =>
    trust.warning === null ? [] : [`warning: ${name}: ${trust.warning}`],
  );
  const lines =
    states.size === 1
      ? [...states].map((state) => `trust: ${state}`)
      : known.map(({ name, trust }) => `trust in ${name}: ${trust.state}`);
  return [...lines, ...warnings];
}

/** `1-30 (12)`, with the number of proxies. */
function formatControlPlane({ revision, ready, proxies }: ControlPlaneStatus): string {
  return `${revision}${ready ? '' : ' not ready'} (${proxies})`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
