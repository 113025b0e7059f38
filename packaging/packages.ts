/** An npm package that is made of this tree. */
export interface PackageSpec {
  readonly name: string;
  readonly description: string;
  /** What may be imported, by its key in `exports`, and the source that it is. */
  readonly exports: Readonly<Record<string, string>>;
  /** Sources that programs start, besides those of {@link exports}. */
  readonly programs?: readonly string[];
  readonly bin?: Readonly<Record<string, string>>;
  /** Files and folders that are packed as they are, relative to the root. */
  readonly assets?: readonly string[];
  /** Packages of npm that the project itself has to have: it hands their objects to ours, or ours to them. */
  readonly peers: readonly string[];
  /** Those of the peers that only some projects need. */
  readonly optionalPeers?: readonly string[];
  /** Others of these packages that it needs, and that a project gets with it. */
  readonly siblings?: readonly string[];
  /** Sources that another of these packages brings, by its name: what is exported there takes their place. */
  readonly elsewhere?: Readonly<Record<string, string>>;
  /** Whether it starts Node, and so brings the pinned one. */
  readonly startsNode?: boolean;
  /** Files that are packed as they are beside the compiled ones of their folder. */
  readonly beside?: readonly string[];
  /** What a new project depends on, and what it is developed with. Of npm packages, the pinned versions. */
  readonly project?: {
    readonly dependencies: readonly string[];
    readonly devDependencies: readonly string[];
  };
}

const constructs = ['cdk8s', 'cdk8s-plus-28', 'constructs', '@bufbuild/protobuf'];
const pulumi = ['@pulumi/kubernetes', '@pulumi/policy', '@pulumi/pulumi'];
const toolchain = [
  'toolchain/go.mod',
  'toolchain/go.sum',
  'toolchain/wheels.txt',
  'toolchain/coredns/main.go',
];

/** The packages (docs/adr/0040). The gateway is not here: it is packed as the bundle that its image holds. */
export const packages: readonly PackageSpec[] = [
  {
    name: 'meshwright',
    description: 'Kubernetes clusters, one Istio mesh, gRPC services: the constructs and the command line',
    exports: { '.': 'charts/index.ts', './pulumi': 'infra/pulumi/index.ts' },
    programs: ['cli/main.ts', 'infra/policy/pack.ts'],
    bin: { meshwright: 'scripts/meshwright.js' },
    assets: [
      ...['comments', 'generate', 'meshwright', 'start', 'validate-proto'].map(
        (name) => `scripts/${name}.js`,
      ),
      ...toolchain,
    ],
    beside: ['index.cjs', 'package.json', 'PulumiPolicy.yaml'].map((name) => `infra/policy/${name}`),
    peers: [...constructs, 'typescript', ...pulumi],
    optionalPeers: pulumi,
    siblings: ['@meshwright/gateway'],
    elsewhere: { 'cli/lab/index.ts': '@meshwright/lab' },
    startsNode: true,
    project: {
      dependencies: [
        ...['meshwright', '@meshwright/runtime', ...constructs],
        ...['@bufbuild/protovalidate', '@grpc/grpc-js'],
      ],
      devDependencies: [
        ...['@meshwright/lab', '@bufbuild/buf', '@bufbuild/protoc-gen-es', 'google-proto-files'],
        ...['@types/node', 'typescript'],
      ],
    },
  },
  {
    name: '@meshwright/runtime',
    description: 'Server and client of a gRPC service in the mesh',
    exports: { '.': 'apps/runtime/index.ts', './testing': 'apps/testing/local.ts' },
    peers: ['@bufbuild/protobuf', '@grpc/grpc-js'],
  },
  {
    name: '@meshwright/lab',
    description: 'Clusters on one machine, for `meshwright up` without contexts',
    exports: { '.': 'cli/lab/index.ts' },
    programs: ['lab/node/init.ts', 'lab/node/load-balancer.ts', 'lab/node/volume-provisioner.ts'],
    assets: toolchain,
    peers: constructs,
    siblings: ['@meshwright/gateway'],
    startsNode: true,
  },
];

/** The folder that a package is laid out in, after its name: `meshwright-runtime`. */
export function stageName(name: string): string {
  return name.replace('@', '').replace('/', '-');
}
