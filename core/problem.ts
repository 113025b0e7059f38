import { inspect } from 'node:util';

/** One mistake in an input, with all that a person needs to correct it. */
export interface Problem {
  /** Construct path, or file and key: `apps/catalog/config.yml: ports.grpc`. */
  readonly where: string;
  /** What is wrong, lower case, no full stop. */
  readonly what: string;
  /** The value received, if there was one. Never a secret. */
  readonly received?: unknown;
  /** What would have been accepted. */
  readonly allowed?: string;
  /** What to do. */
  readonly fix?: string;
  /** What belongs to it and takes lines of its own, such as the end of a log. */
  readonly lines?: readonly string[];
}

/** Marks the errors of every copy of this module: a project's packages may each bring one. */
const mark = Symbol.for('meshwright.ProblemsError');

/** All problems of one input, reported together. Commands print one per line and exit with {@link exitCode}. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[];
  /** Process exit code: 2 for wrong use, 1 for a failure while carrying out a valid request. */
  readonly exitCode: 1 | 2;

  constructor(problems: readonly Problem[], exitCode: 1 | 2 = 2) {
    super(problems.map(formatProblem).join('\n'));
    this.name = 'ProblemsError';
    this.problems = problems;
    this.exitCode = exitCode;
    Object.defineProperty(this, mark, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== ProblemsError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return value instanceof Error && mark in value;
  }
}

/** Renders a problem as one line: `where: what; received X; allowed Y; fix: Z`. Its own lines follow, indented. */
export function formatProblem(problem: Problem): string {
  const parts = [`${problem.where}: ${problem.what}`];
  if ('received' in problem) parts.push(`received ${show(problem.received)}`);
  if (problem.allowed !== undefined) parts.push(`allowed ${problem.allowed}`);
  if (problem.fix !== undefined) parts.push(`fix: ${problem.fix}`);
  return [parts.join('; '), ...(problem.lines ?? []).map((line) => `    ${line}`)].join('\n');
}

/** Throws when there is any problem. */
export function throwIfAny(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new ProblemsError(problems);
}

const longest = 120;

/** Plain JavaScript may pass anything, so this never throws. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  let text;
  try {
    text = JSON.stringify(value, (_, part: unknown) => pathOf(part) ?? (isJson(part) ? part : inspect(part)));
  } catch {
    // Circular, or with a getter that throws: JSON cannot represent it.
    text = inspected(value);
  }
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** Whether JSON can represent the value; it cannot represent a bigint or a function. */
function isJson(value: unknown): boolean {
  return value === null || ['object', 'string', 'number', 'boolean'].includes(typeof value);
}

/** A construct's path, by which its user knows it; the whole object would not help. */
function pathOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { where, node } = value as { readonly where?: unknown; readonly node?: unknown };
  if (typeof where === 'string') return where;
  if (typeof node !== 'object' || node === null || !('path' in node)) return undefined;
  return typeof node.path === 'string' ? node.path : undefined;
}

function inspected(value: unknown): string {
  try {
    return inspect(value, { depth: 1, breakLength: Infinity, compact: true, customInspect: false });
  } catch {
    return `a value of type ${typeof value} that cannot be shown`;
  }
}
