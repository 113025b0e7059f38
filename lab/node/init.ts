// The first program of a node, below tini, in mount, pid, uts and network namespaces of its own: covers host
// paths with the node's own folders, writes the daemons' configuration, starts them and keeps them running.
// `node lab/node/init.ts SPEC.json`; everything ends with the outer process (see ../node-process.ts).
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../core/files.ts';
import { waitFor } from '../../core/wait.ts';
import { askApiServer } from './api.ts';
import { containerdConfig, cniConfig, corefile, kubeletConfig } from './config-files.ts';
import { DaemonStates } from './daemon-states.ts';
import { daemonsOf } from './daemons.ts';
import { coveredPaths } from './mounts.ts';
import { inNode, nodePaths, nodeSpecSchema, type NodeSpec } from './spec.ts';
import { Supervisor } from './supervisor.ts';

const spec: NodeSpec = nodeSpecSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
const paths = nodePaths(inNode.state);
const states = new DaemonStates(paths.daemons, (line) => {
  process.stderr.write(`${line}\n`);
});

const supervisor = new Supervisor({
  logs: spec.logs,
  env: { HOME: '/root', PATH: `${inNode.programs}:${process.env['PATH'] ?? ''}` },
  states,
});

isolate();
linkPrograms();
writeConfiguration();
const daemons = daemonsOf(spec);
for (const daemon of daemons.filter(({ needsApi }) => !needsApi)) supervisor.start(daemon);
await waitFor({ what: 'the API server', timeoutMs: 300_000, intervalMs: 100 }, async () => {
  const { status, body } = await askApiServer(paths.pki, '127.0.0.1', '/readyz');
  return status === 200 ? { done: true, value: undefined } : { done: false, because: body };
});
for (const daemon of daemons.filter(({ needsApi }) => needsApi)) supervisor.start(daemon);

function isolate(): void {
  execFileSync('hostname', [spec.name]);
  execFileSync('mount', ['--make-rshared', '/']);
  // For the node's sockets, network namespaces and locks; gone when the node ends.
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run']);
  for (const path of ['/run/containerd', '/run/netns', '/run/istio-cni', '/run/lock'])
    mkdirSync(path, { recursive: true });
  mkdirSync(inNode.state, { recursive: true });
  bind(spec.folder, inNode.state);
  for (const path of coveredPaths) {
    const own = join(paths.mounts, path);
    mkdirSync(own, { recursive: true });
    bind(own, path);
  }
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
}

function bind(folder: string, path: string): void {
  execFileSync('mount', ['--bind', folder, path]);
  // In its own peer group: mounts below it (pods' volumes) propagate to containers and nowhere else.
  execFileSync('mount', ['--make-private', path]);
  execFileSync('mount', ['--make-shared', path]);
}

/** Of two programs of a name, the first folder's is taken, as on PATH. */
function linkPrograms(): void {
  mkdirSync(inNode.programs, { recursive: true });
  for (const folder of spec.programs) {
    for (const name of readdirSync(folder)) {
      const link = join(inNode.programs, name);
      if (!existsSync(link)) symlinkSync(join(folder, name), link);
    }
  }
}

function writeConfiguration(): void {
  cpSync(spec.cniPlugins, '/opt/cni/bin', { recursive: true });
  mkdirSync('/etc/cni/net.d', { recursive: true });
  writeFileAtomic('/etc/cni/net.d/10-pods.conflist', cniConfig(spec));
  writeFileAtomic(paths.containerdConfig, containerdConfig(spec));
  writeFileAtomic(paths.kubeletConfig, kubeletConfig(spec));
  writeFileAtomic(paths.corefile, corefile(spec));
}
