import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { knownNamespaces } from '../hosts.ts';
import { alwaysThere, namespaceAccepted } from '../namespaces.ts';
import { list, ofKind, text, texts, title } from '../../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/**
 * Callers that an AuthorizationPolicy names have to be there. A mistyped one is not refused by anybody: where it allows, the
 * caller that was meant is denied; where it denies or excludes, it does not.
 */
export function callers({ clusters }: RenderedMesh): readonly Problem[] {
  const namespaces = new Set([...alwaysThere, ...clusters.flatMap((cluster) => knownNamespaces(cluster))]);
  const accounts = new Set(
    clusters.flatMap((cluster) => [
      ...ofKind(cluster, 'ServiceAccount').map(
        ({ object }) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`,
      ),
      ...cluster.others.accounts,
    ]),
  );
  return clusters.flatMap((cluster) =>
    ofKind(cluster, 'AuthorizationPolicy').flatMap((policy) =>
      namedBy(policy.object).flatMap(({ path, kind, value }) =>
        kind === 'namespace'
          ? namespaceProblem(policy, path, value, namespaces)
          : accountProblem(policy, path, value, namespaces, accounts),
      ),
    ),
  );
}

interface Named {
  readonly path: string;
  readonly kind: 'namespace' | 'principal';
  readonly value: string;
}

/** The callers that a policy names. */
function namedBy(policy: object): readonly Named[] {
  return list(policy, 'spec', 'rules').flatMap((rule, index) => {
    const at = `spec.rules[${index}]`;
    return [
      ...list(rule, 'from').flatMap((entry, part) =>
        (['namespace', 'principal'] as const).flatMap((kind) =>
          [`${kind}s`, `not${kind === 'namespace' ? 'Namespaces' : 'Principals'}`].flatMap((key) =>
            texts(entry, 'source', key).map((value) => ({
              path: `${at}.from[${part}].source.${key}`,
              kind,
              value,
            })),
          ),
        ),
      ),
      ...list(rule, 'when').flatMap((condition, part) =>
        (['namespace', 'principal'] as const)
          .filter((kind) => text(condition, 'key') === `source.${kind}`)
          .flatMap((kind) =>
            ['values', 'notValues'].flatMap((key) =>
              texts(condition, key).map((value) => ({ path: `${at}.when[${part}].${key}`, kind, value })),
            ),
          ),
      ),
    ];
  });
}

function namespaceProblem(
  { where, object }: RenderedObject,
  path: string,
  received: string,
  namespaces: ReadonlySet<string>,
): readonly Problem[] {
  const names = [...namespaces];
  if (names.some((name) => matches(received, name)) || namespaceAccepted(object)) return [];
  const near = nearest(received, names);
  return [
    {
      where,
      what: `${title(object)}: ${path} names a namespace that no cluster has`,
      received,
      fix: elsewhere(near === undefined ? 'correct or remove it' : `did you mean ${near}?`),
    },
  ];
}

function accountProblem(
  { where, object }: RenderedObject,
  path: string,
  received: string,
  namespaces: ReadonlySet<string>,
  accounts: ReadonlySet<string>,
): readonly Problem[] {
  const [, namespace = '', name = ''] = /^[^*]+\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(received) ?? [];
  if (namespace === '' || namespaceAccepted(object)) return [];
  // Every namespace has an account of that name, and the clusters' own have theirs.
  if (name === 'default' ? namespaces.has(namespace) : accounts.has(`${namespace}/${name}`)) return [];
  if (alwaysThere.includes(namespace)) return [];
  const near = nearest(`${namespace}/${name}`, accounts);
  return [
    {
      where,
      what: `${title(object)}: ${path} names an account that no cluster has`,
      received,
      fix: elsewhere(
        near === undefined ? 'correct or remove it' : `did you mean ${near.replace('/', '/sa/')}?`,
      ),
    },
  ];
}

function elsewhere(fix: string): string {
  return `${fix}; or, if something else creates it, give the reason in the annotation meshwright/accept-undeclared-namespace`;
}

/** Istio's match of texts: exact, by a beginning, by an end, or anything. */
function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  return pattern === name;
}
