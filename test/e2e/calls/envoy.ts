import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../apps/testing/free-port.ts';
import { thisWorkspace } from '../../../cli/workspace/workspace.ts';
import { waitFor } from '../../../core/wait.ts';
import { ensureTools } from '../../../toolchain/build.ts';

// Envoy itself, with parts of a configuration as the constructs render them: no cluster, no istiod.

const type = 'type.googleapis.com/envoy.extensions.filters';
const manager = `${type}.network.http_connection_manager.v3.HttpConnectionManager`;

/** A patch of an EnvoyFilter. */
interface Patch {
  readonly applyTo: string;
  readonly patch: { readonly value: Readonly<Record<string, unknown>> };
}

/** What an EnvoyFilter merges into, or inserts before, things of this kind: the first such patch. */
export function valueOf(
  filter: { readonly configPatches?: unknown },
  applyTo: string,
): Patch['patch']['value'] {
  const found = (filter.configPatches as readonly Patch[]).find((each) => each.applyTo === applyTo);
  if (found === undefined) throw new Error(`no patch applies to ${applyTo}`);
  return found.patch.value;
}

const addressOf = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

/** A listener for HTTP, whose requests all take one route unless the settings say otherwise. */
export function listener(
  name: string,
  port: number,
  settings: object,
  filters: readonly object[],
  route: object,
) {
  const router = { name: 'router', typed_config: { '@type': `${type}.http.router.v3.Router` } };
  const routes = [{ match: { prefix: '/' }, ...route }];
  const typed = {
    '@type': manager,
    stat_prefix: name,
    route_config: { virtual_hosts: [{ name, domains: ['*'], routes }] },
    ...settings,
    http_filters: [...filters, router],
  };
  return {
    name,
    address: addressOf(port),
    filter_chains: [{ filters: [{ name: 'http', typed_config: typed }] }],
  };
}

export const cluster = (name: string, port: number) => ({
  name,
  type: 'STATIC',
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(port) } }] }],
  },
});

export interface Envoy {
  /** Of its administration. */
  readonly admin: string;
  /** The sum of its counters whose names match. */
  counted(name: RegExp): Promise<number>;
  /** How it ended: an exit code or a signal's name; undefined while it runs. */
  ended(): number | string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts Envoy, with one thread, and awaits that it is ready.
 * @param config - of its bootstrap; the administration's port is added
 * @param added - merged into it
 * @param before - a shell's command that the process which becomes Envoy runs first, such as one that enters a cgroup
 */
export async function startEnvoy(config: object, added: object = {}, before = ':'): Promise<Envoy> {
  const { envoy: program } = await ensureTools({
    ...thisWorkspace(),
    sets: ['envoy'],
    report: () => undefined,
  });
  const port = await freePort();
  const admin = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-envoy-'));
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify({ admin: { address: addressOf(port) }, ...config }));
  const args = ['-c', file, '--config-yaml', JSON.stringify(added), '--base-id', String(port)];
  const command = [program, ...args, '--concurrency', '1', '-l', 'error'];
  const envoy = spawn('sh', ['-c', `${before} && exec "$@"`, 'sh', ...command], { stdio: 'inherit' });
  await waitFor({ what: 'Envoy to be ready', timeoutMs: 60_000 }, async () => {
    const answer = await fetch(`${admin}/ready`).catch(String);
    if (envoy.exitCode !== null) throw new Error(`Envoy ended with ${envoy.exitCode}`);
    return typeof answer !== 'string' && answer.ok
      ? { done: true, value: true }
      : { done: false, because: typeof answer === 'string' ? answer : `it says ${answer.status}` };
  });
  return {
    admin,
    ended: () => envoy.exitCode ?? envoy.signalCode ?? undefined,
    counted: async (name) => {
      const text = await (await fetch(`${admin}/stats`)).text();
      const counters = [...text.matchAll(/^(\S+): (\d+)$/gm)].filter(([, counter]) => name.test(counter!));
      if (counters.length === 0) throw new Error(`Envoy has no counter ${name.source}`);
      return counters.reduce((sum, [, , value]) => sum + Number(value), 0);
    },
    stop: async () => {
      if (envoy.exitCode === null && envoy.signalCode === null) {
        const over = once(envoy, 'close');
        envoy.kill();
        await over;
      }
      rmSync(folder, { recursive: true });
    },
  };
}
