import { Construct } from 'constructs';
import type { Problem } from '../../core/problem.ts';
import type { Mesh } from './mesh.ts';
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
    super(scope, freeId(scope, name));
    this.where = `${scope.node.path}/${name}`;
    this.isDuplicate = this.node.id !== idOf(name);
  }

  /** What is wrong with the declaration; nothing when it can be projected. */
  problems(): readonly Problem[] {
    return [];
  }

  /** Adds this construct's objects to one cluster. Called only when the whole mesh has no problem. */
  abstract project(into: Projection): void;
}

function idOf(name: string): string {
  return name === '' ? '(unnamed)' : name.replaceAll('/', '--');
}

/** The constructs library throws on a taken or empty id; a duplicate gets an id of its own and is reported later. */
function freeId(scope: Construct, name: string): string {
  const id = idOf(name);
  let free = id;
  for (let copy = 2; scope.node.tryFindChild(free) !== undefined; copy++) free = `${id}#${copy}`;
  return free;
}
