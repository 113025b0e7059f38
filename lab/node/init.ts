// The first program of a node, below tini, in mount, pid, uts and network namespaces of its own: covers host
// paths with the node's own folders, writes the daemons' configuration, starts them and keeps them running.
// `node lab/node/init.ts SPEC.json`; everything ends with the outer process (see ../node-process.ts).
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../core/files.ts';
import { waitFor } from '../../core/wait.ts';
import { askApiServer } from './api.ts';
import { containerdConfig, cniConfig, corefile, kubeletConfig } from './config-files.ts';
import { DaemonStates, nextRestarts, restartDelayMs } from './daemon-states.ts';
import { daemonsOf, type Daemon } from './daemons.ts';
import { coveredPaths } from './mounts.ts';
import { nodePaths, nodeSpecSchema, type NodeSpec } from './spec.ts';

const spec: NodeSpec = nodeSpecSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const paths = nodePaths(spec.folder);
const states = new DaemonStates(paths.daemons, (line) => {
  process.stderr.write(`${line}\n`);
});

isolate();
writeConfiguration();
const daemons = daemonsOf(spec);
for (const daemon of daemons.filter(({ needsApi }) => !needsApi)) start(daemon);
await waitFor({ what: 'the API server', timeoutMs: 300_000, intervalMs: 100 }, async () => {
  const { status, body } = await askApiServer(paths.pki, '127.0.0.1', '/readyz');
  return status === 200 ? { done: true, value: undefined } : { done: false, because: body };
});
for (const daemon of daemons.filter(({ needsApi }) => needsApi)) start(daemon);

function isolate(): void {
  execFileSync('hostname', [spec.name]);
  execFileSync('mount', ['--make-rshared', '/']);
  // For the node's sockets, network namespaces and locks; gone when the node ends.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
  for (const path of ['/run/containerd', '/run/netns', '/run/istio-cni', '/run/lock'])
    mkdirSync(path, { recursive: true });
  for (const path of coveredPaths) {
    const own = join(paths.mounts, path);
    mkdirSync(own, { recursive: true });
    execFileSync('mount', ['--bind', own, path]);
    // In its own peer group: mounts below it (pods' volumes) propagate to containers and nowhere else.
    execFileSync('mount', ['--make-private', path]);
    execFileSync('mount', ['--make-shared', path]);
  }
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
}

function writeConfiguration(): void {
  cpSync(spec.cniPlugins, '/opt/cni/bin', { recursive: true });
  mkdirSync('/etc/cni/net.d', { recursive: true });
  writeFileAtomic('/etc/cni/net.d/10-pods.conflist', cniConfig(spec));
  writeFileAtomic(paths.containerdConfig, containerdConfig(spec));
  writeFileAtomic(paths.kubeletConfig, kubeletConfig(spec));
  writeFileAtomic(paths.corefile, corefile(spec));
}

function start(daemon: Daemon, restarts = 0): void {
  const log = openSync(join(spec.logs, `${daemon.name}.log`), 'a');
  const child = spawn(daemon.command, daemon.args, {
    env: { HOME: '/root', PATH: `${spec.path}:${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  states.set(daemon.name, { pid: child.pid, restarts, lastExit: states.get(daemon.name)?.lastExit });
  const started = performance.now();
  let ended = false;
  const restart = (why: string) => {
    if (ended) return;
    ended = true;
    states.set(daemon.name, { pid: undefined, restarts, lastExit: why });
    const next = nextRestarts(restarts, performance.now() - started);
    setTimeout(() => {
      start(daemon, next);
    }, restartDelayMs(next));
  };
  child.on('error', (error) => {
    restart(error.message);
  });
  child.on('exit', (code, signal) => {
    restart(`ended with ${signal ?? `exit code ${code ?? '?'}`}`);
  });
}
