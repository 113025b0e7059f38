import { join } from 'node:path';
import { run } from '../core/run.ts';
import { waitFor } from '../core/wait.ts';
import { runningNode } from './node-process.ts';
import { inNode, nodeLogs } from './node/spec.ts';
import { waitMs, type LabOptions } from './options.ts';

/** An image in an archive that `ctr images import` reads. */
export interface ImageArchive {
  readonly reference: string;
  readonly archive: string;
  /** Digest of its manifest, `sha256:...`: it tells contents apart under one reference. */
  readonly digest: string;
  /** Digest that pods ask for it by, `sha256:...`. @default - by the reference alone */
  readonly locked?: string;
  /**
   * For an archive of others: digests of the manifests in it. It is kept whole under the reference, whatever name is in it, and
   * `digest` is that of its index. @default - it has one manifest, under the reference
   */
  readonly manifests?: readonly string[];
}

type NodeOptions = Pick<LabOptions, 'stateDir' | 'clusters' | 'report' | 'signal'>;

/**
 * Imports the images that a node does not have, or has with other content, in all nodes at once. Pods that run keep
 * the content they started with: that is reported.
 */
export async function importImages(options: NodeOptions, images: readonly ImageArchive[]): Promise<void> {
  await Promise.all(
    options.clusters.map(async ({ name: node }) => {
      const present = await listImages(options, node);
      for (const { reference, archive, digest, locked, manifests } of images) {
        const current = present.get(reference);
        const pinned = locked === undefined ? undefined : digestName(reference, locked);
        if (current === undefined || ![digest, ...(manifests ?? [])].includes(current)) {
          const named = manifests === undefined ? [] : ['--index-name', reference];
          await ctr(options, node, ['images', 'import', '--local', ...named, archive]);
          const changed = ' changed under its tag: restart the pods that run it';
          options.report(`${node}: image ${reference}${current === undefined ? '' : changed}`);
        } else if (pinned === undefined || present.get(pinned) === current) continue;
        // Nothing is pulled: what a pod asks for by digest has to have a name of that digest.
        if (pinned !== undefined) await ctr(options, node, ['images', 'tag', '--force', reference, pinned]);
      }
    }),
  );
}

/** What containerd looks an image up by that is asked for as `name:tag@digest`: the tag is left out. */
export function digestName(reference: string, digest: string): string {
  return `${reference.slice(0, reference.lastIndexOf(':'))}@${digest}`;
}

/** Exit codes of `ctr` before containerd answers, and of nsenter before a node that has just started has its programs. */
const notYet = [0, 1, 127];

/** The digests of the manifests in a node, by reference. */
function listImages(options: NodeOptions, node: string): Promise<ReadonlyMap<string, string>> {
  return waitFor(
    {
      what: `containerd of node ${node} to answer`,
      timeoutMs: waitMs,
      whereToLook: () => join(nodeLogs(options.stateDir, node), 'containerd.log'),
      ...(options.signal && { signal: options.signal }),
    },
    async () => {
      const { code, stdout, stderr } = await ctr(options, node, ['images', 'list'], notYet);
      return code === 0
        ? { done: true, value: parseImageList(stdout) }
        : { done: false, because: stderr.trim() };
    },
  );
}

/** Reads the table of `ctr images list`: REF TYPE DIGEST and more. */
export function parseImageList(table: string): ReadonlyMap<string, string> {
  return new Map(
    table
      .split('\n')
      .map((line) => line.split(/\s+/))
      .flatMap(([reference, , digest]) =>
        reference !== undefined && digest?.startsWith('sha256:') ? [[reference, digest] as const] : [],
      ),
  );
}

/** containerd's client, inside the node's mount namespace, where containerd's socket is. */
function ctr(options: NodeOptions, node: string, args: readonly string[], okCodes?: readonly number[]) {
  const { pid } = runningNode(options.stateDir, node);
  return run('nsenter', [`--target=${pid}`, '--mount', 'ctr', '--namespace=k8s.io', ...args], {
    env: { PATH: `${inNode.programs}:${process.env['PATH'] ?? ''}` },
    cwd: '/',
    timeoutMs: 300_000,
    ...(okCodes && { okCodes }),
    ...(options.signal && { signal: options.signal }),
  });
}
