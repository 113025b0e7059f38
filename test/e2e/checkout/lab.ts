import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { npm, stateDir } from './cli.ts';

export interface Status {
  readonly engine: string;
  readonly clusters: Readonly<
    Record<
      string,
      {
        readonly context: string;
        readonly ready: boolean;
        readonly ingress: string;
        readonly eastWest: string;
        readonly nodes: number;
        readonly controlPlanes: readonly {
          readonly revision: string;
          readonly ready: boolean;
          readonly proxies: number;
        }[];
        readonly certificateNotAfter: string;
        readonly trust: {
          readonly state: string;
          readonly rootNotAfter: string;
          readonly warning: string | null;
        };
        readonly remotes: Readonly<
          Record<
            string,
            {
              readonly tokenNotAfter: string;
              readonly istiod: string;
              readonly problem: string | null;
              readonly warning: string | null;
              readonly listsSecrets: 'all' | 'namespace' | 'none' | null;
            }
          >
        >;
      }
    >
  >;
  readonly services: Readonly<
    Record<string, Readonly<Record<string, { readonly desired: number; readonly ready: number }>>>
  >;
  readonly crossCluster: { readonly ok: boolean; readonly checked: string };
}

/** What `npm run status -- --json` says. */
export async function status(): Promise<Status> {
  const { stdout } = await npm('status', ['--json']);
  return JSON.parse(stdout) as Status;
}

/** Brings the mesh up where an earlier suite has not: each suite can be run alone. */
export async function ensureUp(): Promise<Status> {
  const before = await npm('status', ['--json']);
  if (before.code === 0) return JSON.parse(before.stdout) as Status;
  expect(await npm('up')).toMatchObject({ code: 0 });
  return status();
}

/** Brings the lab up where it is not, whatever mesh it holds: for a suite that applies one of its own. */
export async function ensureLab(): Promise<Status> {
  return existsSync(kubeconfig) ? status() : ensureUp();
}

export const kubeconfig = join(stateDir, 'kubeconfig');

/** Folders with the lab's programs, as the running nodes have them. */
export function labPath(state = stateDir): string {
  const spec = JSON.parse(readFileSync(join(state, 'nodes', 'east', 'spec.json'), 'utf8')) as {
    programs: readonly string[];
  };
  return spec.programs.join(':');
}

/** Runs kubectl, the lab's own, against a cluster; a last argument may be its standard input. Returns what it printed. */
export type Kubectl = (
  cluster: string,
  ...words: readonly (string | { readonly input: string | Buffer })[]
) => string;

/** kubectl for the lab whose state is in a folder. */
export function kubectlOf(state: string): Kubectl {
  return (cluster, ...words) => {
    const args = words.filter((word) => typeof word === 'string');
    const input = words.find((word) => typeof word !== 'string')?.input;
    return execFileSync(
      'kubectl',
      ['--kubeconfig', join(state, 'kubeconfig'), '--context', cluster, ...args],
      {
        encoding: 'utf8',
        // A rendered Istio release has more than Node's default of 1 MiB.
        maxBuffer: 16 * 1024 * 1024,
        env: { ...process.env, PATH: `${labPath(state)}:${process.env['PATH'] ?? ''}` },
        ...(input !== undefined && { input }),
      },
    );
  };
}

/** For the lab of the checkout. */
export const kubectl = kubectlOf(stateDir);
