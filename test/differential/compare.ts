import { isDeepStrictEqual } from 'node:util';
import type { Answer } from './answer.ts';
import type { Comparison, Difference } from './differences/difference.ts';
import type { TestRequest } from './requests/request.ts';

/** Calls that the backend was asked to end with an error. */
const failing = /^\/v1\/(fail\/|streams\/.*code)/;

/**
 * Whether two answers are the same: status and JSON, and the metadata that the request watches. Of an error that a
 * gateway finds itself, the wording is its own, so that the status decides; an error that the backend was asked for has
 * to arrive as it is.
 */
export function isSame({ request, ours, theirs }: Comparison): boolean {
  if (ours.status !== theirs.status) return false;
  if (ours.status >= 400 && !failing.test(request.target)) return true;
  return isDeepStrictEqual([ours.json, ours.metadata], [theirs.json, theirs.metadata]);
}

/** `METHOD TARGET BODY`, for people and for the predicates of differences. */
export function lineOf({ method, target, body = '' }: TestRequest): string {
  return `${method} ${target} ${typeof body === 'string' ? body : Buffer.from(body).toString('latin1')}`;
}

/** What the comparisons say of the table. */
export interface Verdict {
  /** Differences that no entry names. */
  readonly unlisted: readonly string[];
  /** Entries, with a peer, that nothing came of. */
  readonly gone: readonly string[];
}

/** Holds what was found against the table, both ways. */
export function judge(found: readonly Comparison[], differences: readonly Difference[]): Verdict {
  const seen = new Set<string>();
  const unlisted: string[] = [];
  for (const comparison of found) {
    if (isSame(comparison)) continue;
    const { request, peer, ours, theirs } = comparison;
    const entry = differences.find(
      ({ peers, when }) => peers.includes(peer) && when(comparison, lineOf(request)),
    );
    if (entry === undefined) {
      const show = ({ status, text, metadata }: Answer) =>
        `${status} ${text.slice(0, 300)}${metadata === undefined ? '' : ` ${JSON.stringify(metadata)}`}`;
      unlisted.push(`${lineOf(request).slice(0, 300)}\n  ours: ${show(ours)}\n  ${peer}: ${show(theirs)}`);
    } else seen.add(`${entry.rule} (${peer})`);
  }
  const listed = differences.flatMap(({ rule, peers }) => peers.map((peer) => `${rule} (${peer})`));
  return { unlisted, gone: listed.filter((name) => !seen.has(name)) };
}
