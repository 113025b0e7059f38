import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../core/run.ts';
import { ensurePrograms } from './go-build.ts';
import type { BuildOptions } from './go-build.ts';

const generators = {
  'protoc-gen-go': 'google.golang.org/protobuf/cmd/protoc-gen-go',
  'protoc-gen-go-grpc': 'google.golang.org/grpc/cmd/protoc-gen-go-grpc',
  'protoc-gen-grpc-gateway': 'github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway',
};

const module = 'meshwright.dev/test/peers';

/** The Go package of protovalidate's constraints; their proto, as it is printed here, does not say so. */
const validate = 'buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate';

const packages = { backend: './backend', gateway: './gateway', load: './load' };

/**
 * Our own Go programs with what buf and grpc-gateway's generators make of proto/: the gRPC server that all gateways
 * call, grpc-gateway v2 in front of it, and the load generator of the benchmarks. Nothing generated is kept.
 * @throws ProblemsError with exit code 2 when the disk is too small, 1 when a build fails, naming its log.
 */
export async function ensurePeerPrograms(
  options: BuildOptions,
): Promise<Readonly<Record<keyof typeof packages, string>>> {
  const folder = join(options.root, 'test/peers');
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const pins = { goMod: read('go.mod'), goSum: read('go.sum') };
  const plugins = await ensurePrograms(
    {
      name: 'generators',
      goMod: pins.goMod,
      inputs: [pins.goSum],
      packages: generators,
      folder: () => Promise.resolve(folder),
      minutes: 1,
      gib: { build: 0.2, modules: 0.2, programs: 0.1 },
    },
    options,
  );
  const template = JSON.stringify(bufTemplate(plugins), undefined, 2);
  const sources = Object.keys(packages).flatMap((name) =>
    filesOf(join(folder, name), '.go').map((file) => `${name}/${file}`),
  );
  const protos = filesOf(join(options.root, 'proto'), '.proto').map((file) => join('proto', file));
  const inputs = [
    pins.goSum,
    template,
    ...sources.map(read),
    ...[...protos, 'buf.yaml', 'package-lock.json'].map((file) =>
      readFileSync(join(options.root, file), 'utf8'),
    ),
  ];
  return ensurePrograms(
    {
      name: 'peers',
      goMod: pins.goMod,
      inputs,
      packages,
      folder: async (scratch) => {
        for (const file of ['go.mod', 'go.sum', ...sources]) cpSync(join(folder, file), join(scratch, file));
        const file = join(scratch, 'buf.gen.yaml');
        writeFileSync(file, template);
        await run(
          join(options.root, 'node_modules/.bin/buf'),
          ['generate', '--template', file, '--output', scratch, 'proto'],
          {
            cwd: options.root,
            logFile: join(options.logsDir, 'build-peers.log'),
            timeoutMs: 120_000,
            ...(options.signal === undefined ? {} : { signal: options.signal }),
          },
        );
        return scratch;
      },
      minutes: 2,
      gib: { build: 0.5, modules: 0.3, programs: 0.1 },
    },
    options,
  );
}

/** buf.gen.yaml: every proto of ours gets a Go package under gen/; what they import is in Go modules. */
function bufTemplate(plugins: Readonly<Record<keyof typeof generators, string>>): object {
  return {
    version: 'v2',
    managed: {
      enabled: true,
      disable: [{ file_option: 'go_package', path: 'google' }],
      override: [
        { file_option: 'go_package_prefix', value: `${module}/gen` },
        { file_option: 'go_package', path: 'buf/validate', value: validate },
      ],
    },
    plugins: Object.values(plugins).map((local) => ({ local, out: '.', opt: `module=${module}` })),
  };
}

function filesOf(folder: string, extension: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(extension))
    .sort();
}
