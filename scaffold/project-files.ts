import type { ServiceNames } from './names.ts';
import { generatedModule } from './places.ts';
import type { ProjectFile } from './templates.ts';

/** The files of a new project around its first service, besides package.json and images.lock.json. */
export function projectFiles(mesh: string, names: ServiceNames): readonly ProjectFile[] {
  return [
    { path: 'mesh.ts', text: declaration(mesh, names) },
    { path: 'README.md', text: readme(mesh, names) },
    { path: 'tsconfig.json', text: tsconfig },
    { path: 'buf.yaml', text: bufYaml },
    { path: 'buf.gen.yaml', text: bufGenYaml },
    { path: 'Pulumi.yaml', text: pulumiYaml(mesh) },
    { path: 'Pulumi.lab.yaml', text: labStack },
    { path: 'Pulumi.prod.yaml', text: prodStack },
    { path: 'infra/index.ts', text: pulumiProgram },
    { path: '.gitignore', text: 'node_modules/\ngen/\n.meshwright/\n' },
    // What is compared byte for byte.
    { path: '.gitattributes', text: 'dist/** text eol=lf\nimages.lock.json text eol=lf\n' },
    { path: '.github/workflows/check.yml', text: workflow },
  ];
}

function declaration(mesh: string, names: ServiceNames): string {
  const { name, camel, pascal } = names;
  return `import { declare, GrpcService, HttpEdge, lab, Mesh, released } from 'meshwright';
import { comments } from './gen/comments.js';
import { ${pascal}Service } from '${generatedModule(names, '.')}';

/** The mesh. \`npm run synth\` renders each environment into dist/<environment>/. */
export default declare({
  // What differs between the environments. Regions and zones are what the labels of the clusters' nodes say.
  environments: {
    lab: {
      trustDomain: 'lab.${mesh}.example',
      platform: lab,
      clusters: {
        east: { network: 'net-east', region: 'us-east1', zone: 'us-east1-b' },
        west: { network: 'net-west', region: 'us-west1', zone: 'us-west1-a' },
      },
      gateways: {},
    },
    // Placeholders: your registry, a released version of Istio, your networks, and who may reach the gateways.
    prod: {
      trustDomain: '${mesh}.example',
      platform: released({ imageHub: 'registry.example/${mesh}', istioTag: '1.29.2' }),
      clusters: {
        east: { network: 'vpc-east', region: 'us-east-1', zone: 'us-east-1a' },
        west: { network: 'vpc-west', region: 'us-west-2', zone: 'us-west-2a' },
      },
      gateways: {
        // Only the other cluster's nodes call it, from the addresses that they leave their network by.
        eastWest: { type: 'LoadBalancer', sources: ['192.0.2.0/24', '198.51.100.0/24'] },
        ingress: { type: 'LoadBalancer', sources: { any: 'customers call from anywhere' } },
      },
    },
  },

  mesh: ({ root, values }) => {
    const mesh = new Mesh('${mesh}', { root, comments, ...values });
    const namespace = mesh.namespace('${mesh}');

    const ${camel} = new GrpcService(namespace, '${name}', { app: 'apps/${name}', service: ${pascal}Service });

    new HttpEdge(namespace, 'edge', { expose: [${camel}], openapi: true });
    return mesh;
  },
});
`;
}

function readme(mesh: string, { name, camel, many, typeName }: ServiceNames): string {
  return `# ${mesh}

A service mesh over two Kubernetes clusters, declared in \`mesh.ts\`, reviewed as YAML in \`dist/\`.

\`\`\`sh
npm install
npm run up     # brings the mesh up in a lab on this machine (Linux on x64, root), and verifies it by real calls
npm test       # types, the services' tests, and whether dist/ is what mesh.ts declares
\`\`\`

| command                | does                                                                                    |
| ---------------------- | --------------------------------------------------------------------------------------- |
| \`npm run new -- NAME\`  | adds a service: proto, handlers with a test, \`config.yml\`, its lines in \`mesh.ts\`         |
| \`npm run synth\`        | writes \`dist/<environment>/<cluster>/\` and \`images.lock.json\`; commit both                |
| \`npm run status\`       | shows clusters, gateways, services and trust                                            |
| \`npm run down\`         | removes what \`up\` made                                                                  |
| \`npm run images\`       | builds the services' images; push them to your registry                                 |
| \`npm run up -- --stack prod\` | brings the environment \`prod\` up in the clusters that \`Pulumi.prod.yaml\` names      |
| \`npm run export\`       | writes the mesh as a tree for Argo CD or \`kubectl apply -k\`                             |

\`${typeName}\` is served at \`/v1/${many.kebab}\` of each cluster's ingress gateway; its code is in \`apps/${name}/\`.
A service calls another one once \`mesh.ts\` says so: \`orders.calls(${camel}.method.get...)\`. Every other call is denied.

Replace the placeholders of \`prod\` in \`mesh.ts\` and in \`Pulumi.prod.yaml\` before you use it. \`git diff --no-index dist/lab
dist/prod\` shows how the environments differ. To apply with Pulumi, install its command line and
\`npm install @pulumi/pulumi @pulumi/kubernetes @pulumi/policy\`; without them \`up\` applies the same plan by server-side apply.
`;
}

const tsconfig = `{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024"],
    "module": "nodenext",
    "types": ["node"],
    "noEmit": true,
    "strict": true,
    "exactOptionalPropertyTypes": true,
    "noUncheckedIndexedAccess": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true
  },
  "include": ["mesh.ts", "apps"]
}
`;

const bufYaml = `version: v2
modules:
  - path: proto
  # google.api.http annotations and google.rpc statuses, from a pinned npm package: no schema registry is needed.
  - path: node_modules/google-proto-files
    includes:
      - node_modules/google-proto-files/google/api
      - node_modules/google-proto-files/google/rpc
      - node_modules/google-proto-files/google/type
  # The constraints of protovalidate; meshwright writes them.
  - path: node_modules/.protos
lint:
  use:
    - STANDARD
  ignore:
    - node_modules
`;

const bufGenYaml = `version: v2
clean: true
inputs:
  - directory: proto
plugins:
  - local: node_modules/.bin/protoc-gen-es
    out: gen
    include_imports: true
    opt:
      - target=js+dts
      - import_extension=js
      - rewrite_imports=./buf/validate/*:@bufbuild/protovalidate/gen
`;

function pulumiYaml(mesh: string): string {
  return `name: ${mesh}
description: The mesh ${mesh}
main: infra
runtime:
  name: nodejs
  options:
    # Node 24 runs the TypeScript sources as they are (type stripping).
    typescript: false
config:
  # Every resource is given its cluster's provider. Without this one that is not would go to kubectl's current context.
  pulumi:disable-default-providers: ['*']
`;
}

const labStack = `# The stack of the local lab: \`npm run up\` brings its clusters up and fills in how they are reached.
config:
  pulumi:disable-default-providers: ['*']
`;

const prodStack = `# Placeholders: the kubeconfig contexts of your clusters, and the folder of the CAs.
config:
  pulumi:disable-default-providers: ['*']
  meshwright:clusters:
    east:
      kubeconfig: ~/.kube/config
      context: example-prod-east
    west:
      kubeconfig: ~/.kube/config
      context: example-prod-west
  meshwright:trustDir: ~/example-prod-trust
`;

const pulumiProgram = `import { join } from 'node:path';
import { runStack } from 'meshwright/pulumi';
import declaration from '../mesh.ts';

/** The stack's outputs: the trust domain, and by cluster its context, its gateways' addresses and the end of its CA. */
export const { trustDomain, clusters } = await runStack(declaration, join(import.meta.dirname, '..'));
`;

const workflow = `name: check
on: [push, pull_request]
permissions:
  contents: read
jobs:
  check:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: npm ci
      - run: npm test
`;
