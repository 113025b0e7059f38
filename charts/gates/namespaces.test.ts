import { expect, test } from '@jest/globals';
import { formatProblem } from '../../core/problem.ts';
import { objectOf, renderedOf } from '../testing/rendered.ts';
import { undeclaredNamespaces } from './namespaces.ts';

const declared = ['shop', 'istio-system'].map((name) =>
  objectOf('v1', 'Namespace', undefined, { name, namespace: undefined }),
);
const problemsOf = (...objects: ReturnType<typeof objectOf>[]) =>
  undeclaredNamespaces(renderedOf([...declared, ...objects])).map(formatProblem);
const within = (namespace: string | undefined, apiVersion = 'v1', kind = 'ConfigMap', annotations?: object) =>
  objectOf(apiVersion, kind, undefined, { namespace, annotations });
const reason = 'meshwright/accept-undeclared-namespace';
const orReason = `or, if something else creates it, give the reason in the annotation ${reason}`;
const undeclared = (title: string, received: string, meant: string) =>
  `own: ${title} is in a namespace that the mesh does not declare; received "${received}"; allowed shop, istio-system; fix: ${meant}; ${orReason}`;

test('an object is in a namespace that its cluster declares', () => {
  expect(problemsOf(within('shop'), within('istio-system'))).toEqual([]);
  expect(problemsOf(within('shops'), within('elsewhere'))).toEqual([
    undeclared('ConfigMap shops/one', 'shops', 'did you mean shop?'),
    undeclared('ConfigMap elsewhere/one', 'elsewhere', 'declare it with mesh.namespace'),
  ]);
  // What another cluster declares is not there.
  expect(undeclaredNamespaces(renderedOf(declared, [within('shop')]))).toHaveLength(1);
});

test.each(['default', 'kube-system', 'kube-public', 'kube-node-lease'])(
  '%s is in every cluster, and nothing of Istio may be there',
  (namespace) => {
    expect(problemsOf(within(namespace), within(namespace, 'istio.io.example/v1'))).toEqual([]);
    for (const group of ['networking.istio.io', 'security.istio.io', 'istio.io'])
      expect(problemsOf(within(namespace, `${group}/v1`, 'Sidecar'))).toEqual([
        undeclared(`Sidecar ${namespace}/one`, namespace, 'declare it with mesh.namespace'),
      ]);
  },
);

test('a reason is enough, an empty one is none', () => {
  const noted = (text: string) => within('elsewhere', 'v1', 'ConfigMap', { [reason]: text });
  expect(problemsOf(noted('the platform team makes it'))).toEqual([]);
  for (const text of ['', ' ']) expect(problemsOf(noted(text))).toHaveLength(1);
});

test('only what is of the whole cluster, or of a kind without a schema, may be in none', () => {
  for (const kind of ['ClusterRole', 'ClusterRoleBinding'])
    expect(problemsOf(within(undefined, 'rbac.authorization.k8s.io/v1', kind))).toEqual([]);
  expect(problemsOf(within(undefined))).toEqual([
    'own: ConfigMap one has no namespace, and would be created in default; allowed shop, istio-system; fix: set its namespace',
  ]);
  const { clusters } = renderedOf([within(undefined, 'example.com/v1', 'Whatever')]);
  const custom = clusters.map((one) => ({
    ...one,
    objects: one.objects.map((object) => ({ ...object, custom: true })),
  }));
  expect(undeclaredNamespaces({ clusters: custom })).toEqual([]);
});
