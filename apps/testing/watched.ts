import { pino } from 'pino';
import type { Implementation } from '../runtime/handlers.ts';
import type { Interceptor, Outcome } from '../runtime/server/interceptors.ts';
import { startLocal } from './local.ts';
import type { Local } from './local.ts';

export interface Watched {
  readonly local: Local;
  /** What its interceptors were told of the ends of calls. */
  readonly outcomes: readonly Outcome[];
  /** Its log, from warnings on. */
  readonly lines: readonly Record<string, unknown>[];
}

/** A server, what its interceptors were told of the ends of calls, and its log. */
export async function startWatched(implementation: Implementation): Promise<Watched> {
  const outcomes: Outcome[] = [];
  const lines: Record<string, unknown>[] = [];
  const watch: Interceptor = () => () => ({ end: (outcome) => outcomes.push(outcome) });
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line) as never) });
  const local = await startLocal([implementation], { interceptors: [watch], log });
  return { local, outcomes, lines };
}
