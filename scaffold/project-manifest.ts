import { z } from 'zod';
import { own } from '../core/own.ts';
import { ProblemsError } from '../core/problem.ts';

const versions = z.record(z.string(), z.string());
const productSchema = z.object({
  meshwright: z.object({ project: z.object({ dependencies: versions, devDependencies: versions }) }),
});

const manifestSchema = z.looseObject({
  scripts: versions.optional(),
  dependencies: versions.optional(),
  devDependencies: versions.optional(),
  meshwright: z.looseObject({}).optional(),
});

/** What `npm init` writes for a test that is not there. */
const noTest = 'echo "Error: no test specified" && exit 1';

const scripts = {
  ...Object.fromEntries(
    ['up', 'down', 'status', 'synth', 'new', 'images', 'export'].map((name) => [name, `meshwright ${name}`]),
  ),
  test: "meshwright synth --check && tsc && node --test 'apps/**/*.test.ts'",
};

/**
 * The package.json of a new project: what there is, with the scripts and packages that it lacks. Its modules become ES
 * modules, as mesh.ts and the services are.
 * @param before - content of the package.json there is
 * @param product - content of the package.json of meshwright itself
 * @returns the text, and the scripts that stay although they have the name of a command
 * @throws ProblemsError for scripts or dependencies that are no texts
 */
export function projectManifest(
  mesh: string,
  before: object | undefined,
  product: unknown,
): { readonly text: string; readonly kept: readonly string[] } {
  const { dependencies, devDependencies } = productSchema.parse(product).meshwright.project;
  const known = parseManifest(before ?? { name: mesh, version: '0.0.0', private: true });
  const kept = Object.fromEntries(
    Object.entries(known.scripts ?? {}).filter(([, command]) => command !== noTest),
  );
  const has = (name: string) => name in { ...known.dependencies, ...known.devDependencies };
  const lacking = (wanted: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(wanted).filter(([name]) => !has(name)));
  const made = {
    // In the order it has.
    ...(before ?? known),
    type: 'module',
    meshwright: { ...known.meshwright, protoPackage: mesh },
    scripts: { ...scripts, ...kept },
    dependencies: sorted({ ...known.dependencies, ...lacking(dependencies) }),
    devDependencies: sorted({ ...known.devDependencies, ...lacking(devDependencies) }),
  };
  return {
    text: `${JSON.stringify(made, null, 2)}\n`,
    kept: Object.keys(scripts).filter((name) => own(kept, name) !== undefined),
  };
}

function parseManifest(content: object): z.infer<typeof manifestSchema> {
  const { data, error } = manifestSchema.safeParse(content);
  if (data !== undefined) return data;
  throw new ProblemsError(
    error.issues.map(({ path, message }) => ({ where: `package.json: ${path.join('.')}`, what: message })),
  );
}

function sorted(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
