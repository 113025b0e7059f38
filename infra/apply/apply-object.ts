import { isDeepStrictEqual } from 'node:util';
import { ProblemsError } from '../../core/problem.ts';
import { waitFor } from '../../core/wait.ts';
import { releaseReplicas } from './autoscaling.ts';
import { KubeError } from '../kube/kube-http.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { describe, field, list, partOfLabel, text } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { isOfOthers, isRestored, restoredLabel } from '../kube/ownership.ts';
import { pool } from '../kube/pool.ts';
import { isReplaced } from '../plan/replaced.ts';
import { waves } from '../kube/waves.ts';

/** What an apply did to an object. */
export type Outcome = 'created' | 'changed' | 'unchanged';

export interface Applied {
  readonly object: KubeObject;
  readonly outcome: Outcome;
}

const concurrency = 8;
const goneTimeoutMs = 120_000;
const servedTimeoutMs = 30_000;

/**
 * Applies objects in their waves (waves.ts), several at a time.
 * @throws ProblemsError (exit 1) naming the object and what the server said about it.
 */
export async function applyObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal?: AbortSignal,
): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const wave of waves(objects)) {
    applied.push(
      ...(await pool(wave, concurrency, async (object) => ({
        object,
        outcome: await applyObject(client, object, signal),
      }))),
    );
  }
  return applied;
}

/** Applies one object with server-side apply and tells what became of it; a write that changes nothing is no change. */
export async function applyObject(
  client: KubeClient,
  object: KubeObject,
  signal?: AbortSignal,
): Promise<Outcome> {
  try {
    await awaitServed(client, object, signal);
    const live = await readWhenNotTerminating(client, object, signal);
    if (live !== undefined) refuseOfOthers(client, object, live);
    if (live !== undefined && isReplaced(object, live)) {
      await client.remove(live, signal);
      await readWhenNotTerminating(client, object, signal);
      await client.apply(object, signal);
      return 'changed';
    }
    if (live !== undefined) await releaseReplicas(client, object, live, signal);
    const after = await client.apply(live === undefined ? object : yieldToIstiod(object, live), signal);
    if (live === undefined) return 'created';
    if (isRestored(live)) {
      await takeMarkOff(client, object, signal);
      return 'changed';
    }
    if (text(live, 'metadata', 'resourceVersion') === text(after, 'metadata', 'resourceVersion'))
      return 'unchanged';
    // A controller may have written the status in between: that is no change of ours.
    return isDeepStrictEqual(essence(live), essence(after)) ? 'unchanged' : 'changed';
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    throw new ProblemsError(
      [{ where: `${client.cluster}: ${describe(object)}`, what: `not applied: ${error.reason}` }],
      1,
    );
  }
}

/** Takes part in the mark of a restored object, and then gives it up as its only owner: server-side apply removes it. */
const marker = 'meshwright-restored';

/**
 * A restored object that is declared is the mesh's as any other: with the mark of its restoration it would be taken for a copy,
 * and stay when it is no longer declared.
 */
async function takeMarkOff(
  client: KubeClient,
  { apiVersion, kind, metadata: { name, namespace } }: KubeObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  const metadata = { name, ...(namespace !== undefined && { namespace }) };
  const marked = { ...metadata, labels: { [restoredLabel]: 'taken-over' } };
  await client.apply({ apiVersion, kind, metadata: marked }, signal, marker);
  await client.apply({ apiVersion, kind, metadata }, signal, marker);
}

/**
 * The preflight names all that others have by the names of ours (preflight/taken-names.ts). This is for what they made since: a
 * forced apply would take it over.
 */
function refuseOfOthers({ cluster }: KubeClient, object: KubeObject, live: KubeObject): void {
  if (!isOfOthers(live, object.metadata.labels?.[partOfLabel] ?? '')) return;
  const where = `${cluster}: ${describe(object)}`;
  const what = 'not applied: it exists already, and belongs to others, who made it after the checks';
  const fix = 'run this again: the checks then say what can be done about it';
  throw new ProblemsError([{ where, what, fix }], 1);
}

/** A custom resource can be applied a moment after its definition is established, not before. */
async function awaitServed(
  client: KubeClient,
  object: KubeObject,
  signal: AbortSignal | undefined,
): Promise<void> {
  const what = `${client.cluster}: ${object.apiVersion} ${object.kind} served`;
  await waitFor({ what, timeoutMs: servedTimeoutMs, ...(signal && { signal }) }, async () => {
    const type = await client.typeOf(object.apiVersion, object.kind, signal);
    return type === undefined
      ? { done: false, because: 'the API server does not know this kind' }
      : { done: true, value: type };
  });
}

/** An object that is being deleted, by an interrupted `down` for example, has to be gone before it can come back. */
async function readWhenNotTerminating(
  client: KubeClient,
  object: KubeObject,
  signal: AbortSignal | undefined,
): Promise<KubeObject | undefined> {
  const what = `${client.cluster}: ${describe(object)}, which is being deleted, gone`;
  return waitFor({ what, timeoutMs: goneTimeoutMs, ...(signal && { signal }) }, async () => {
    const live = await client.get(object, signal);
    if (live !== undefined && field(live, 'metadata', 'deletionTimestamp') !== undefined) {
      return { done: false, because: `finalizers ${JSON.stringify(finalizers(live))} are not done` };
    }
    return { done: true, value: live };
  });
}

function finalizers(live: KubeObject): readonly unknown[] {
  return [...list(live, 'metadata', 'finalizers'), ...list(live, 'spec', 'finalizers')];
}

/**
 * istiod fills in the webhooks' `caBundle` (rendered empty) and turns `failurePolicy` from Ignore to Fail once it
 * validates; applying the rendered value with force would take that back until istiod notices. A policy that differs
 * from the rendered one is therefore left out, which keeps the live value.
 */
export function yieldToIstiod(object: KubeObject, live: KubeObject): KubeObject {
  if (object.kind !== 'ValidatingWebhookConfiguration' && object.kind !== 'MutatingWebhookConfiguration')
    return object;
  const liveWebhooks = list(live, 'webhooks');
  const webhooks = list(object, 'webhooks').map((webhook) => {
    const now = liveWebhooks.find((entry) => text(entry, 'name') === text(webhook, 'name'));
    const policy = text(now, 'failurePolicy');
    if (policy === undefined || policy === text(webhook, 'failurePolicy')) return webhook;
    return Object.fromEntries(Object.entries(webhook as object).filter(([key]) => key !== 'failurePolicy'));
  });
  return { ...object, webhooks };
}

/** What an object says, without the API server's bookkeeping. */
function essence(object: KubeObject): unknown {
  const bookkeeping = ['resourceVersion', 'generation', 'managedFields'];
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([key]) => !bookkeeping.includes(key)),
  );
  return { ...object, metadata, status: undefined };
}
