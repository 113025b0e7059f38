import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { gates } from '../../charts/gates/gates.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import { renderedCluster } from '../../charts/model/rendered.ts';
import { run } from '../../core/run.ts';
import type { Problem } from '../../core/problem.ts';
import { ensureGo, requiredGo } from '../../toolchain/go.ts';
import { readGoMod, toolSets } from '../../toolchain/sets.ts';

const printed = z.strictObject({
  cases: z.array(
    z.strictObject({
      name: z.string(),
      analyzer: z.string(),
      clusters: z.array(z.array(z.string())),
      expected: z.array(z.strictObject({ type: z.string(), object: z.string() })),
    }),
  ),
  annotations: z.array(z.string()),
  labels: z.array(z.string()),
});

/** What the tests of Istio's analyzers expect, and the names that Istio's API knows. */
export type Corpus = z.infer<typeof printed> & {
  /** Folder of the analyzers, which the cases' files are below. */
  readonly folder: string;
};

interface CorpusOptions {
  readonly root: string;
  readonly cacheDir: string;
  readonly report: (line: string) => void;
}

/** The corpus of the Istio that the lab builds: from its Go module, which is fetched where it is not at hand. */
export async function readCorpus(options: CorpusOptions): Promise<Corpus> {
  const goMod = readGoMod();
  const go = await ensureGo({ ...options, required: requiredGo([goMod]) });
  const settings = { cwd: join(options.root, 'toolchain'), env: go.env, timeoutMs: 5 * 60_000 };
  const folders = await Promise.all(
    [toolSets.istio.module, 'istio.io/api'].map(async (module) => {
      await run(go.command, ['mod', 'download', module], settings);
      const { stdout } = await run(go.command, ['list', '-m', '-f', '{{.Dir}}', module], settings);
      return stdout.trim();
    }),
  );
  const [istio = '', api = ''] = folders;
  const folder = join(istio, 'pkg/config/analysis/analyzers');
  const { stdout } = await run(go.command, ['run', './table', folder, api], {
    ...settings,
    cwd: join(options.root, 'test/analyzers'),
  });
  return { folder, ...printed.parse(JSON.parse(stdout)) };
}

/** A fault that Istio's analyzers find: which message they give of which object of which file. */
export interface Fault {
  /** `MESSAGE FILE Kind namespace/name`: what it is called in expected-failures.txt. */
  readonly name: string;
  readonly message: string;
  readonly analyzer: string;
  /** As Istio names it, in `default` where it is in no namespace of its own. */
  readonly object: string;
  /** What the gates say of all objects of its files, as those of a mesh. */
  readonly said: readonly Said[];
}

interface Said {
  readonly gate: string;
  readonly problem: Problem;
}

/** The faults of a corpus, each once. */
export function faultsOf({ folder, cases }: Corpus, standing: readonly KubernetesObject[]): readonly Fault[] {
  const said = new Map<string, readonly Said[]>();
  const found = cases.flatMap(({ clusters, analyzer, expected }) => {
    const key = JSON.stringify(clusters);
    const objects = clusters.map((files) =>
      files.map((file) => ({ file, objects: readObjects(folder, file) })),
    );
    if (!said.has(key)) said.set(key, judge(objects, standing));
    return expected.map(({ type, object }): Fault => {
      const title = inNamespace(object);
      const file = objects.flat().find((one) => one.objects.some((other) => titleOf(other) === title));
      const name = file?.file ?? clusters[0]?.[0] ?? '';
      return {
        name: `${type} ${name.replace('testdata/', '')} ${object}`,
        message: type,
        analyzer,
        object: title,
        said: said.get(key) ?? [],
      };
    });
  });
  return [...new Map(found.map((fault) => [fault.name, fault])).values()];
}

function judge(
  clusters: readonly (readonly { readonly objects: readonly KubernetesObject[] }[])[],
  standing: readonly KubernetesObject[],
): readonly Said[] {
  const rendered = clusters.map((files, index) => {
    const name = `cluster-${index}`;
    const objects = [...standing, ...files.flatMap(({ objects }) => objects)];
    return renderedCluster(
      { name, network: name },
      objects.map((object) => ({ cluster: name, where: 'corpus', object, differs: undefined, custom: true })),
    );
  });
  return gates.flatMap((gate) =>
    gate({ clusters: rendered }).map((problem) => ({ gate: gate.name, problem })),
  );
}

/** Kinds of the corpus that are of the whole cluster. */
const clusterWide = [
  'Namespace',
  'Node',
  'GatewayClass',
  'CustomResourceDefinition',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
];

/** The objects of a file, as a mesh would have them: a list's by themselves, and each in a namespace. */
function readObjects(folder: string, file: string): readonly KubernetesObject[] {
  const documents = parseAllDocuments(readFileSync(join(folder, file), 'utf8'));
  return documents
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null)
    .flatMap((object) => (object.kind === 'List' ? (object['items'] as KubernetesObject[]) : [object]))
    .map((object) => {
      if (clusterWide.includes(object.kind) || object.metadata.namespace !== undefined) return object;
      return { ...object, metadata: { ...object.metadata, namespace: 'default' } };
    });
}

function inNamespace(title: string): string {
  const [kind = '', name = ''] = title.split(' ');
  return clusterWide.includes(kind) || name.includes('/') ? title : `${kind} default/${name}`;
}

function titleOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}
