import { throwIfAny, ProblemsError, type Problem } from '../core/problem.ts';
import { keysOf, unknownKeys } from '../core/keys.ts';
import { nearest } from '../core/names.ts';
import { own } from '../core/own.ts';
import { Mesh } from './constructs/mesh.ts';
import { fillHoles, holeProblems, holesIn, rememberHoles, type Hole, type HoleValues } from './holes.ts';
import { rememberReviewed } from './reviewed.ts';

/** The values of each environment, by its name. */
export type Environments = Readonly<Record<string, object>>;

/** What makes the mesh of an environment. */
export interface EnvironmentOf<E extends Environments> {
  /** Project root, as a path: app folders are relative to it. */
  readonly root: string;
  readonly environment: keyof E & string;
  readonly values: E[keyof E];
}

/** What {@link declare} takes. */
export interface DeclareProps<E extends Environments, M extends Mesh<string>> {
  /**
   * The environments by name, such as `lab`, `staging` and `prod`: what differs between them, as values of any type. Each
   * environment has the same keys. A name is that of a stack (`up --stack NAME`) and of a folder (`dist/NAME`); without a
   * stack, commands take `lab`.
   */
  readonly environments: E & SameKeys<E>;
  /** Makes the mesh of an environment. It is called anew for each, and may not depend on anything else. */
  readonly mesh: (of: EnvironmentOf<E>) => M;
}

/** Requires of each environment what others have. */
type SameKeys<E extends Environments> = {
  readonly [Name in keyof E]: Readonly<Record<Exclude<AllKeys<E[keyof E]>, keyof E[Name]>, unknown>>;
};

type AllKeys<T> = T extends unknown ? keyof T : never;

/** What {@link declare} makes, and `mesh.ts` exports as its default. */
export interface Declaration<Name extends string = string, M extends Mesh<string> = Mesh<string>> {
  /** The names of its environments, in the order they were declared. */
  readonly environments: readonly Name[];
  /** The holes in the values of an environment, by name. */
  holes(environment: Name): readonly Hole[];
  /**
   * Makes the mesh of an environment. Without `filled`, its holes stay open, as `synth` renders them.
   * @throws ProblemsError for an environment that is not declared, and for values that do not fit its holes
   */
  mesh(of: { readonly root: string; readonly environment: Name; readonly filled?: HoleValues }): M;
}

/**
 * Says that a value is a declaration, and of which copy of this library: the classes of two copies are no instances of each
 * other, so that one would not see the constructs of the other.
 */
const brand = Symbol.for('meshwright.declaration');

const propKeys = keysOf<DeclareProps<Environments, Mesh<string>>>({ environments: true, mesh: true });

/**
 * Declares a mesh with its environments: `export default declare({ environments, mesh })` in `mesh.ts`.
 * @throws ProblemsError for properties that are none, and for names that cannot be those of a folder and a stack
 */
export function declare<const E extends Environments, M extends Mesh<string>>(
  props: DeclareProps<E, M>,
): Declaration<keyof E & string, M> {
  throwIfAny(declareProblems(props));
  const { environments, mesh } = props;
  const names = Object.keys(environments);
  const declaration: Declaration<keyof E & string, M> = {
    environments: names,
    holes: (environment) => holesIn(own(environments, environment)),
    mesh: ({ root, environment, filled }) => {
      throwIfAny(environmentProblems('environment', environment, names));
      const values: E[keyof E] = environments[environment];
      const holes = holesIn(values);
      if (filled !== undefined) throwIfAny(holeProblems(environment, holes, filled));
      const made: unknown = mesh({
        root,
        environment,
        values: filled === undefined ? values : fillHoles(values, filled),
      });
      if (made instanceof Mesh) {
        const open = filled === undefined ? holes.map(({ name }) => name) : (filled.open ?? []);
        rememberHoles(made, { environment, names: open });
        if (filled !== undefined && holes.length > 0)
          rememberReviewed(made, () => declaration.mesh({ root, environment }));
        return made as M;
      }
      throw new ProblemsError([
        {
          where: 'mesh.ts: mesh',
          what: 'does not return a mesh',
          received: made,
          allowed: 'the `new Mesh(...)` that it makes',
          fix: 'end it with `return mesh`',
        },
      ]);
    },
  };
  return Object.assign(declaration, { [brand]: Mesh });
}

/**
 * The declaration that mesh.ts exports as its default.
 * @throws ProblemsError when that is none, or one of another copy of this library, whose constructs this one would not see
 */
export function parseDeclaration(given: unknown): Declaration {
  const problem = (what: string, rest: Partial<Problem>) =>
    new ProblemsError([{ where: 'mesh.ts', what, ...rest }]);
  const fix = 'write `export default declare({ environments, mesh })`';
  if (given === undefined) throw problem('has no default export', { fix });
  if (typeof given !== 'object' || given === null || !(brand in given))
    throw problem('its default export is not made by declare', { received: given, fix });
  if (given[brand] !== Mesh)
    throw problem('is declared with another copy of the library than the one that runs it', {
      fix: 'import declare from the package whose command or program this is, and install that package once',
    });
  return given as unknown as Declaration;
}

/**
 * What is wrong with the name of an environment that is asked for.
 * @param where - where it was asked for: `--stack`
 */
export function environmentProblems(
  where: string,
  name: string,
  environments: readonly string[],
): readonly Problem[] {
  if (environments.includes(name)) return [];
  const near = nearest(name, environments);
  return [
    {
      where,
      what: 'mesh.ts declares no environment of this name',
      received: name,
      allowed: environments.join(', '),
      fix: near === undefined ? `declare it among the environments of mesh.ts` : `did you mean ${near}?`,
    },
  ];
}

const nameRule = /^[A-Za-z0-9][-A-Za-z0-9_.]{0,99}$/;

function declareProblems(props: unknown): readonly Problem[] {
  if (typeof props !== 'object' || props === null) {
    const allowed = 'declare({ environments: { lab: {...} }, mesh: ({ root, values }) => ... })';
    return [{ where: 'mesh.ts: declare', what: 'is given no properties', received: props, allowed }];
  }
  const { environments, mesh } = props as { readonly environments?: unknown; readonly mesh?: unknown };
  const problems = unknownKeys('mesh.ts: declare', props, propKeys);
  const where = 'mesh.ts: environments';
  if (typeof environments !== 'object' || environments === null || Object.keys(environments).length === 0) {
    const allowed = 'the values of each environment by its name: { lab: { platform: lab } }';
    problems.push({ where, what: 'does not name an environment', received: environments, allowed });
  } else {
    for (const [name, values] of Object.entries(environments as Environments)) {
      if (!nameRule.test(name)) {
        const allowed = 'letters, digits, "-", "_" and ".", at most 100, the first a letter or digit';
        problems.push({ where, what: 'cannot be the name of a stack and a folder', received: name, allowed });
      }
      if (typeof (values as unknown) !== 'object' || (values as unknown) === null) {
        const allowed = 'an object, such as { platform: lab }';
        problems.push({ where: `${where}.${name}`, what: 'is not an object', received: values, allowed });
      }
      const holes = holesIn(values).map((one) => one.name);
      for (const twice of holes.filter((one, index) => holes.indexOf(one) < index)) {
        const what = `has a hole ${twice} for a host and one for a URL`;
        problems.push({ where: `${where}.${name}`, what, fix: 'give each a name of its own' });
      }
    }
  }
  if (typeof mesh !== 'function') {
    const allowed = '({ root, environment, values }) => a Mesh';
    problems.push({ where: 'mesh.ts: mesh', what: 'is not a function', received: mesh, allowed });
  }
  return problems;
}
