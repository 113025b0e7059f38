import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/files.ts';
import { ProblemsError } from '../core/problem.ts';
import { identify, isAlive, type ProcessIdentity } from '../core/process-identity.ts';
import { waitFor } from '../core/wait.ts';
import { netnsFolder } from './netns-folder.ts';
import { nodeNamespace } from './network.ts';
import { nodeFolder, nodeLogs, nodePaths, type NodeSpec } from './node/spec.ts';
import { readJson } from './state.ts';

const identitySchema = z.object({ pid: z.number(), startTime: z.string() });

/** The outer process of a node; undefined when it does not run. All processes of the node end with it. */
export function nodeProcess(stateDir: string, node: string): ProcessIdentity | undefined {
  const identity = identitySchema.safeParse(readJson(nodePaths(nodeFolder(stateDir, node)).process));
  return identity.success && isAlive(identity.data) ? identity.data : undefined;
}

/** When a node that has been started was started, in milliseconds since 1970. */
export function nodeStart(stateDir: string, node: string): number {
  return statSync(nodePaths(nodeFolder(stateDir, node)).process).mtimeMs;
}

/** The outer process of a node that has been started. @throws ProblemsError (exit code 1) when it has ended. */
export function runningNode(stateDir: string, node: string): ProcessIdentity {
  const running = nodeProcess(stateDir, node);
  if (running !== undefined) return running;
  const log = join(nodeLogs(stateDir, node), 'node.log');
  throw new ProblemsError([{ where: `node ${node}`, what: 'has ended', fix: `look at ${log}` }], 1);
}

/**
 * Starts a node: one process tree in mount, pid, uts and network namespaces of its own, detached from this
 * command. The one outer process (unshare) is recorded; killing it kills the tree (pid_namespaces(7)).
 */
export function startNode(spec: NodeSpec): void {
  const paths = nodePaths(spec.folder);
  mkdirSync(spec.logs, { recursive: true });
  writeFileAtomic(paths.spec, JSON.stringify(spec, null, 2));
  rmSync(paths.daemons, { force: true }); // it describes the daemons of an earlier start
  const log = openSync(join(spec.logs, 'node.log'), 'a');
  const child = spawn(
    'nsenter',
    [
      `--net=${join(netnsFolder, nodeNamespace(spec.name))}`,
      'unshare',
      ...['--mount', '--pid', '--uts', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private'],
      // tini is process 1 of the node: it reaps what containerd's shims leave behind.
      'tini',
      '--',
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'node', `init${extname(import.meta.filename)}`),
      paths.spec,
    ],
    { detached: true, stdio: ['ignore', log, log], cwd: '/' },
  );
  closeSync(log);
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) {
    throw new ProblemsError(
      [{ where: `node ${spec.name}`, what: 'did not start', fix: `look at ${spec.logs}/node.log` }],
      1,
    );
  }
  writeFileAtomic(paths.process, JSON.stringify(identity));
  child.unref();
}

/** Ends a node's process tree, and waits until the kernel has taken it down. */
export async function stopNode(stateDir: string, node: string): Promise<void> {
  const running = nodeProcess(stateDir, node);
  if (running === undefined) return;
  process.kill(running.pid, 'SIGKILL');
  await waitFor({ what: `the processes of node ${node} to end`, timeoutMs: 30_000, intervalMs: 20 }, () =>
    isAlive(running)
      ? { done: false, because: `process ${running.pid} still runs` }
      : { done: true, value: undefined },
  );
  rmSync(nodePaths(nodeFolder(stateDir, node)).process, { force: true });
}
