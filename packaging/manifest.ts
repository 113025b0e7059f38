import type { PackageSpec } from './packages.ts';

type Versions = Readonly<Record<string, string>>;

/** What the packages' manifests take from package.json of this checkout. */
export interface Root {
  readonly version: string;
  readonly license: string;
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  readonly optionalDependencies: Versions;
}

/**
 * The package.json of a package: what its code imports, in the versions that this checkout pins; peers from those versions
 * on, within their major one.
 * @param imported - names of the npm packages that its code and declarations import
 */
export function manifestOf(spec: PackageSpec, imported: readonly string[], root: Root): object {
  const {
    name,
    description,
    exports,
    bin,
    peers,
    optionalPeers = [],
    siblings = [],
    elsewhere = {},
    project,
  } = spec;
  const pinned = { ...root.devDependencies, ...root.dependencies };
  const version = (dependency: string) => {
    const found = pinned[dependency];
    if (found === undefined)
      throw new Error(`${name} imports ${dependency}, which package.json does not pin`);
    return found;
  };
  const isOurs = (dependency: string) => dependency === 'meshwright' || dependency.startsWith('@meshwright/');
  const versionsOf = (names: readonly string[]): Versions =>
    Object.fromEntries(names.map((each) => [each, isOurs(each) ? root.version : version(each)]));
  const ours = [...siblings, ...Object.values(elsewhere)];
  const optional = [...optionalPeers, ...Object.values(elsewhere)];
  const needed = imported.filter((each) => ![...peers, ...optional, ...ours].includes(each));
  const peerVersions: Versions = {
    ...Object.fromEntries(peers.map((peer) => [peer, peerRange(peer, version(peer))])),
    ...versionsOf(Object.values(elsewhere)),
  };
  return {
    name,
    version: root.version,
    description,
    license: root.license,
    type: 'module',
    engines: { node: '>=18' },
    exports: {
      ...Object.fromEntries(
        Object.entries(exports).map(([key, source]) => [
          key,
          {
            types: `./lib/${source.replace(/\.ts$/, '.d.ts')}`,
            default: `./lib/${source.replace(/\.ts$/, '.js')}`,
          },
        ]),
      ),
      './package.json': './package.json',
    },
    ...(bin === undefined ? {} : { bin }),
    dependencies: versionsOf([...needed, ...siblings]),
    ...(project !== undefined && {
      meshwright: {
        project: {
          dependencies: versionsOf(project.dependencies),
          devDependencies: versionsOf(project.devDependencies),
        },
      },
    }),
    ...(spec.startsNode === true && { optionalDependencies: root.optionalDependencies }),
    peerDependencies: peerVersions,
    ...(optional.length > 0 && {
      peerDependenciesMeta: Object.fromEntries(optional.map((each) => [each, { optional: true }])),
    }),
  };
}

/** A declaration may be type-checked by any TypeScript that the declarations were tried with. */
function peerRange(name: string, version: string): string {
  return name === 'typescript' ? `>=5.9 <7` : `^${version}`;
}

export function gatewayManifest({ version, license }: Root): object {
  return {
    name: '@meshwright/gateway',
    version,
    description: 'HTTP and JSON in front of gRPC services, as the program that its image runs',
    license,
    type: 'module',
    exports: { './package.json': './package.json' },
  };
}
