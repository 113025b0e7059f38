import { join } from 'node:path';
import { z } from 'zod';
import { lastLines } from '../core/last-lines.ts';
import type { Problem } from '../core/problem.ts';
import { nodeProcess } from './node-process.ts';
import { nodeFolder, nodeLogs, nodePaths } from './node/spec.ts';
import { readJson } from './state.ts';

/** One part of the lab: its state, and its log file. */
export interface Part {
  readonly node: string;
  readonly part: string;
  readonly state: string;
  readonly log: string;
}

const daemonsSchema = z.record(
  z.string(),
  z.object({ pid: z.number().optional(), restarts: z.number(), lastExit: z.string().optional() }),
);

/** All parts of these nodes. Process ids belong to the node's own pid namespace, so only the node can report whether a daemon is alive. */
export function labParts(stateDir: string, nodes: readonly string[]): readonly Part[] {
  return nodes.flatMap((node) => {
    const logs = nodeLogs(stateDir, node);
    const process = nodeProcess(stateDir, node);
    const running = process !== undefined;
    const own: Part = {
      node,
      part: 'node',
      state: running ? 'running' : 'not running',
      log: join(logs, 'node.log'),
    };
    const daemons = Object.entries(readDaemons(stateDir, node)).map(([name, daemon]): Part => ({
      node,
      part: name,
      state: !running ? 'not running' : describe(daemon),
      log: join(logs, `${name}.log`),
    }));
    return [own, ...daemons];
  });
}

function describe(daemon: z.infer<typeof daemonsSchema>[string]): string {
  const last = daemon.lastExit === undefined ? '' : `, last ${daemon.lastExit}`;
  if (daemon.pid === undefined) return `down${last}`;
  return daemon.restarts === 0 ? 'running' : `running, restarted ${daemon.restarts} times${last}`;
}

function readDaemons(stateDir: string, node: string): z.infer<typeof daemonsSchema> {
  return daemonsSchema.safeParse(readJson(nodePaths(nodeFolder(stateDir, node)).daemons)).data ?? {};
}

/**
 * Tells, each time it is called, a problem for each daemon of a running node that is down and has ended too often since this began:
 * waiting for it is useless. What it did before says nothing: its cause may have been corrected since.
 */
export function watchDaemons(stateDir: string, nodes: readonly string[]): () => readonly Problem[] {
  const before = new Map<string, number>();
  const all = () =>
    nodes.flatMap((node) =>
      Object.entries(readDaemons(stateDir, node)).map(([name, daemon]) => ({ node, name, daemon })),
    );
  const keyOf = (node: string, name: string) => `${node}/${name}`;
  for (const { node, name, daemon } of all()) before.set(keyOf(node, name), daemon.restarts);
  return () =>
    all().flatMap(({ node, name, daemon: { pid, restarts, lastExit = 'ended' } }): readonly Problem[] => {
      // It is less once the daemon has run for a while, or its node has started anew: the count began again.
      const old = Math.min(before.get(keyOf(node, name)) ?? 0, restarts);
      before.set(keyOf(node, name), old);
      if (pid !== undefined || restarts - old < hopeless) return [];
      if (nodeProcess(stateDir, node) === undefined) return [];
      const log = join(nodeLogs(stateDir, node), `${name}.log`);
      return [
        {
          where: `${name} of node ${node}`,
          what: `keeps ending; the last time it ${lastExit}`,
          fix: `the last lines of its log stand below, the whole of it in ${log}; correct the cause, and start the node anew by \`npm run down\` and \`npm run up\``,
          lines: lastLines(log),
        },
      ];
    });
}

/** Number of new restarts in a row after which waiting ends: half a minute for a daemon that ends at once. */
const hopeless = 6;

/** The parts as a table of plain lines. */
export function formatParts(parts: readonly Part[]): string {
  const rows = [
    ['NODE', 'PART', 'STATE', 'LOG'],
    ...parts.map(({ node, part, state, log }) => [node, part, state, log]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
