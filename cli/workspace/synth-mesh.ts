import type { Mesh } from '../../charts/constructs/mesh.ts';
import type { Declaration } from '../../charts/declare.ts';
import type { Dist } from '../../charts/dist.ts';
import type { MeshModel } from '../../charts/model/mesh-model.ts';
import { synthesize } from '../../charts/synth.ts';
import type { RenderedStage } from '../../charts/synth.ts';
import { unusedApps } from '../../charts/unused-apps.ts';
import { formatProblem, ProblemsError, type Problem } from '../../core/problem.ts';
import { loadDeclaration } from './declaration.ts';
import { holeValues } from './hole-values.ts';
import type { UpRecord } from './record.ts';
import { environmentOfRecord } from './target.ts';

/** A mesh as it is applied: the model for those who plan, the YAML for those who review. */
export interface SynthesizedMesh {
  readonly environment: string;
  readonly model: MeshModel;
  readonly rendered: readonly RenderedStage[];
}

/** A mesh whose holes are filled: what is applied, and what dist/ has of it. */
export interface FilledMesh extends SynthesizedMesh {
  /** With the holes open. */
  readonly dist: readonly RenderedStage[];
}

/**
 * Renders the declared mesh of an environment without writing anything.
 * @param root - project root
 * @throws ProblemsError with every problem of the declaration and of the apps' config.yml
 */
export async function synthMesh(root: string, environment: string): Promise<SynthesizedMesh> {
  const declaration = await loadDeclaration(root);
  return synthDeclared(declaration.mesh({ root, environment }), environment);
}

/** The same for a mesh that is made. */
export function synthDeclared(mesh: Mesh<string>, environment: string): SynthesizedMesh {
  const rendered = synthesize(mesh);
  return { environment, model: mesh.model(), rendered };
}

/**
 * The same for one that is made with its holes filled.
 * @throws ProblemsError for what the declaration has wrong with the holes filled, or with the holes open
 */
export function synthFilled(
  declaration: Declaration,
  mesh: Mesh<string>,
  of: { readonly root: string; readonly environment: string },
): FilledMesh {
  const made = synthDeclared(mesh, of.environment);
  const holes = declaration.holes(of.environment);
  return { ...made, dist: holes.length === 0 ? made.rendered : synthesize(declaration.mesh(of)) };
}

/**
 * The mesh of an environment with its holes filled by the file of the stack of its name.
 * @throws ProblemsError for holes without a value, and for values without a hole
 */
export function filledMesh(declaration: Declaration, root: string, environment: string): Mesh<string> {
  return declaration.mesh({ root, environment, filled: holeValues(root, environment) });
}

/** The same for the environment of what is up, with its holes open: what is removed is known by its labels. */
export async function synthUp(root: string, record: UpRecord): Promise<SynthesizedMesh> {
  const declaration = await loadDeclaration(root);
  const environment = environmentOfRecord(record, declaration.environments);
  return synthDeclared(declaration.mesh({ root, environment }), environment);
}

/** The mesh of what is up, with its holes filled. */
export async function meshUp(root: string, record: UpRecord): Promise<Mesh<string>> {
  const declaration = await loadDeclaration(root);
  const environment = environmentOfRecord(record, declaration.environments);
  // A mistake in the stack's file keeps nobody from seeing a mesh that takes nothing of it.
  if (declaration.holes(environment).length === 0) return declaration.mesh({ root, environment });
  return filledMesh(declaration, root, environment);
}

/** The mesh of every environment as it is rendered, and the app folders that none of them runs. */
export interface SynthesizedDist {
  readonly dist: Dist;
  readonly unused: readonly Problem[];
}

/**
 * Renders the mesh of every environment without writing anything.
 * @throws ProblemsError with every problem of every environment; of what not all of them have, with their names
 */
export function synthAll(declaration: Declaration, root: string): SynthesizedDist {
  const { environments } = declaration;
  const dist = new Map<string, readonly RenderedStage[]>();
  const meshes: Mesh<string>[] = [];
  const found = new Map<string, { readonly problem: Problem; readonly of: string[] }>();
  for (const environment of environments) {
    try {
      const mesh = declaration.mesh({ root, environment });
      dist.set(environment, synthesize(mesh));
      meshes.push(mesh);
    } catch (error) {
      if (!(error instanceof ProblemsError)) throw error;
      for (const problem of error.problems) {
        const told = formatProblem(problem);
        found.set(told, { problem, of: [...(found.get(told)?.of ?? []), environment] });
      }
    }
  }
  if (found.size === 0) return { dist, unused: unusedApps(root, meshes) };
  throw new ProblemsError(
    [...found.values()].map(({ problem, of }) =>
      of.length === environments.length
        ? problem
        : {
            ...problem,
            where: `environment${of.length > 1 ? 's' : ''} ${of.join(', ')}: ${problem.where}`,
          },
    ),
  );
}
