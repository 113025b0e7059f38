import { Construct } from 'constructs';
import { ProblemsError } from '../../../core/problem.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Mesh } from '../mesh.ts';
import type { Projection } from './projection.ts';

/**
 * Something declared once for the whole mesh, which projects itself into each cluster.
 * Constructors take note of a user's mistakes instead of throwing, so that synth reports all of them together.
 */
export abstract class MeshConstruct<C extends string = string> extends Construct {
  /** The mesh this is part of. */
  abstract readonly mesh: Mesh<C>;
  /** Where problems of this construct are: its path as the user declared it. */
  readonly where: string;
  /** Whether the scope already had a construct of this name. */
  readonly isDuplicate: boolean;

  constructor(scope: Construct, name: string) {
    refuseScope(Construct.isConstruct(scope), nameOr(name), scope, 'a construct of the mesh');
    super(scope, freeId(scope, name));
    this.where = `${scope.node.path}/${nameOr(name)}`;
    this.isDuplicate = this.node.id !== idOf(name);
  }

  /** What is wrong with the declaration; nothing when it can be projected. */
  problems(): readonly Problem[] {
    return [];
  }

  /** Adds this construct's objects to one cluster. Called only when the whole mesh has no problem. */
  abstract project(into: Projection): void;
}

/**
 * Refuses a scope in which a construct could not even be declared, so that there is nobody to ask for problems later.
 * @throws ProblemsError at once, unless it is a fit one
 */
export function refuseScope(isFit: boolean, where: string, scope: unknown, allowed: string): void {
  if (isFit) return;
  throw new ProblemsError([{ where, what: 'is declared in a wrong scope', received: scope, allowed }]);
}

/** The properties that were given: plain JavaScript may leave all of them out, or say null for one. */
export function given<P extends object>(props: P): P {
  const entries = Object.entries((props as P | null | undefined) ?? {});
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as P;
}

/** Plain JavaScript may pass anything for a name. */
function nameOr(name: unknown): string {
  return typeof name === 'string' ? name : '(unnamed)';
}

function idOf(name: string): string {
  return nameOr(name) === '' ? '(unnamed)' : nameOr(name).replaceAll('/', '--');
}

/** The constructs library throws on a taken or empty id; a duplicate gets an id of its own and is reported later. */
function freeId(scope: Construct, name: string): string {
  const id = idOf(name);
  let free = id;
  for (let copy = 2; scope.node.tryFindChild(free) !== undefined; copy++) free = `${id}#${copy}`;
  return free;
}
