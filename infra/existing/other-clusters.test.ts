import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../testing/certificates.ts';
import { KubeApi } from '../testing/kube-api.ts';
import { rootProblems } from './other-clusters.ts';

const names = ['a', 'b', 'c'] as const;
let apis: readonly KubeApi[];
const roots: string[] = [];
beforeAll(async () => {
  apis = await Promise.all(names.map((name) => KubeApi.start(name)));
  for (const name of ['one', 'two', 'three']) roots.push((await makeCertificate({ name })).certificate);
});
afterAll(() => Promise.all(apis.map((api) => api.stop())));

/** What is said of three clusters, each of which trusts these roots by their number. */
async function said(...trusted: readonly (readonly number[])[]) {
  for (const [index, api] of apis.entries()) {
    const data = { 'root-cert.pem': trusted[index]!.map((number) => roots[number]).join('\n') };
    const metadata = { name: 'istio-ca-root-cert', namespace: 'istio-system' };
    api.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
  }
  const existing = {
    ...{ revision: 'prod', rootNamespace: 'istio-system', cni: true },
    ...{ sharedNamespaces: [], needs: [] },
  };
  const warn = (line: string) => {
    throw new Error(line);
  };
  const problems = await rootProblems(
    apis.map(({ client }) => client),
    existing,
    warn,
    undefined,
  );
  return problems.map(({ where, what }) => `${where}: ${what}`);
}
const apart = (one: string, other: string) =>
  `${other}: Istio: trusts no root CA that ${one} trusts: every call between the two would fail in its TLS handshake`;

test.each([
  ['one that all trust', [[0], [0, 1], [2, 0]], []],
  [
    'one for each pair, while none is common to all',
    [
      [0, 1],
      [1, 2],
      [2, 0],
    ],
    [],
  ],
  ['none for two that each share one with the first', [[0, 1], [0], [1]], [apart('b', 'c')]],
  ['none for the first and the last', [[0], [0, 1], [1]], [apart('a', 'c')]],
  ['none at all', [[0], [1], [2]], [apart('a', 'b'), apart('a', 'c'), apart('b', 'c')]],
] as const)('roots of CAs are compared for each pair of clusters: %s', async (_, trusted, problems) => {
  expect(await said(...trusted)).toEqual(problems);
});
