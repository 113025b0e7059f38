// The wrong configuration by which Istio tests its own analyzers, against the gates of synth. It comes from the Go module that
// the lab's Istio is built from; no lab is needed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { knownAnnotations, knownLabels } from '../../charts/gates/istio/known-names.ts';
import type { KubernetesObject } from '../../charts/model/mesh-model.ts';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { faultsOf, readCorpus } from '../analyzers/corpus.ts';
import type { Corpus, Fault } from '../analyzers/corpus.ts';
import { finderOf, keysOf, meant } from '../analyzers/meanings.ts';

const workspace = thisWorkspace();
let corpus: Corpus;
let faults: readonly Fault[];

beforeAll(async () => {
  corpus = await readCorpus({ ...workspace, report: (line) => process.stderr.write(`${line}\n`) });
  faults = faultsOf(corpus, ingress());
}, 10 * 60_000);

/** The ingress gateway of the sample mesh: the corpus takes one for granted. */
function ingress(): readonly KubernetesObject[] {
  const file = join(workspace.root, 'dist/lab/east/20-gateways.k8s.yaml');
  return parseAllDocuments(readFileSync(file, 'utf8'))
    .map((document) => document.toJS() as KubernetesObject)
    .filter(({ kind, metadata }) => {
      return metadata.name === 'istio-ingressgateway' && ['Deployment', 'Service'].includes(kind);
    });
}

/** The names of the faults that no gate finds, each of which has a reason. */
function expectedFailures(): readonly string[] {
  const file = join(workspace.root, 'test/analyzers/expected-failures.txt');
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, reason] = /^(\S+ \S+ \S+ \S+): (\S.*)$/.exec(line) ?? [];
      expect([line, reason]).toEqual([line, expect.any(String)]);
      return name ?? '';
    });
}

test('the gates find every fault but those that are listed', () => {
  expect(faults.length).toBeGreaterThan(180);
  const lost = faults.filter((fault) => finderOf(fault) === undefined).map(({ name }) => name);
  expect([...lost].sort()).toEqual([...expectedFailures()].sort());
  const finders = Map.groupBy(faults, (fault) => finderOf(fault) ?? 'listed');
  const counts = [...finders].map(([gate, found]) => `${gate} ${found.length}`);
  process.stderr.write(`Istio's analyzers: ${faults.length} faults; ${counts.sort().join(', ')}\n`);
});

test('every message for which a gate stands is one of the corpus', () => {
  const known = new Set(faults.flatMap((fault) => keysOf(fault)));
  expect(meant.filter((key) => !known.has(key))).toEqual([]);
});

test("the names of annotations and labels are those of Istio's API", () => {
  expect(Object.keys(knownAnnotations)).toEqual([...corpus.annotations].sort());
  // Those of the Gateway API are not Istio's.
  const labels = corpus.labels.filter((name) => /(?:^|\.)istio\.io\//.test(name));
  expect(knownLabels).toEqual(labels.sort());
});
