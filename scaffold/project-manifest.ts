import { z } from 'zod';

const versions = z.record(z.string(), z.string());
const productSchema = z.object({
  meshwright: z.object({ project: z.object({ dependencies: versions, devDependencies: versions }) }),
});

const manifestSchema = z.looseObject({
  scripts: versions.optional(),
  dependencies: versions.optional(),
  devDependencies: versions.optional(),
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
 * The package.json of a new project: what there is, with the scripts and packages that it lacks.
 * @param before - content of the package.json there is
 * @param product - content of the package.json of meshwright itself
 * @throws ZodError when one of them is no such package.json
 */
export function projectManifest(mesh: string, before: unknown, product: unknown): string {
  const { dependencies, devDependencies } = productSchema.parse(product).meshwright.project;
  const known = manifestSchema.parse(before ?? { name: mesh, version: '0.0.0', private: true });
  const kept = Object.fromEntries(
    Object.entries(known.scripts ?? {}).filter(([, command]) => command !== noTest),
  );
  const has = (name: string) => name in { ...known.dependencies, ...known.devDependencies };
  const lacking = (wanted: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(wanted).filter(([name]) => !has(name)));
  const made = {
    // In the order it has.
    ...(before ?? known),
    // mesh.ts and the services are ES modules.
    type: 'module',
    meshwright: { protoPackage: mesh },
    scripts: { ...scripts, ...kept },
    dependencies: sorted({ ...known.dependencies, ...lacking(dependencies) }),
    devDependencies: sorted({ ...known.devDependencies, ...lacking(devDependencies) }),
  };
  return `${JSON.stringify(made, null, 2)}\n`;
}

function sorted(record: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
