import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { root } from './cli.ts';
import { clusters } from './contexts.ts';
import { kubeconfig, kubectl } from './lab.ts';

/** The commands that docs/rights has a file for. */
export type Command = 'up' | 'status' | 'down';

interface RightsObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly subjects?: readonly object[];
}

interface Rule {
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const accountOf = (command: Command) => `least-${command}`;

/** Which files, and what of them. */
export interface Documented {
  readonly folder: string;
  /** Puts the names of a mesh in their place. */
  readonly named: (yaml: string) => string;
  /** Whether the namespaces of the mesh are made, and go, with them. */
  readonly withNamespaces: boolean;
}

const ofSample: Documented = { folder: 'docs/rights', named: (yaml) => yaml, withNamespaces: true };

/** The objects of docs/rights for a command, given to a service account in place of the group. */
function documented(command: Command, { folder, named, withNamespaces } = ofSample): readonly RightsObject[] {
  const yaml = named(readFileSync(join(root, folder, `${command}.yaml`), 'utf8'));
  const subject = { kind: 'ServiceAccount', name: accountOf(command), namespace: 'default' };
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as RightsObject)
    .filter(({ kind }) => withNamespaces || kind !== 'Namespace')
    .map((object) => (object.subjects === undefined ? object : { ...object, subjects: [subject] }));
}

/** Gives each command's service account in a cluster the documented rights, and no more; first those of `up`, which make the namespaces. */
export function grantRights(cluster: string, which = ofSample): void {
  for (const command of ['up', 'status', 'down'] as const) {
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: accountOf(command), namespace: 'default' },
    };
    kubectl(cluster, 'apply', '-f', '-', {
      input: [account, ...documented(command, which)].map((object) => JSON.stringify(object)).join('\n---\n'),
    });
  }
}

/** Takes away what {@link grantRights} gave, with the namespaces if they are there. */
export function revokeRights(cluster: string, which = ofSample): void {
  for (const command of ['up', 'status', 'down'] as const) {
    const objects = documented(command, which).map((object) => JSON.stringify(object));
    kubectl(cluster, 'delete', '--ignore-not-found', '-f', '-', { input: objects.join('\n---\n') });
    kubectl(cluster, '-n', 'default', 'delete', '--ignore-not-found', 'serviceaccount', accountOf(command));
  }
}

/** Takes a verb on a resource from a role of `up` until the returned function gives it back. */
export function withoutRight(
  cluster: string,
  role: string,
  { resource, verb }: { readonly resource: string; readonly verb: string },
): () => void {
  const found = documented('up').find(
    ({ kind, metadata }) => kind.endsWith('Role') && metadata.name === role,
  );
  const changed = found?.rules?.map((rule) => {
    if (!rule.resources.includes(resource) || !rule.verbs.includes(verb)) return rule;
    return [
      { ...rule, resources: rule.resources.filter((one) => one !== resource) },
      { ...rule, resources: [resource], verbs: rule.verbs.filter((one) => one !== verb) },
    ].filter(({ resources, verbs }) => resources.length > 0 && verbs.length > 0);
  });
  if (found === undefined || changed?.some(Array.isArray) !== true)
    throw new Error(`docs/rights/up.yaml does not have ${verb} on ${resource} in ${role}`);
  const replace = (object: object) =>
    kubectl(cluster, 'replace', '-f', '-', { input: JSON.stringify(object) });
  replace({ ...found, rules: changed.flat() });
  return () => {
    replace(found);
  };
}

/** Writes a kubeconfig with the lab's clusters, in which each context has the rights of the command's account alone. */
export function writeKubeconfig(file: string, command: Command): void {
  const config = parse(readFileSync(kubeconfig, 'utf8')) as {
    readonly contexts: readonly { readonly name: string; readonly context: object }[];
  };
  const users = clusters.map((cluster) => {
    const words = ['-n', 'default', 'create', 'token', accountOf(command), '--duration=2h'];
    return { name: cluster, user: { token: kubectl(cluster, ...words).trim() } };
  });
  const contexts = config.contexts.map(({ name, context }) => ({
    name,
    context: { ...context, user: name },
  }));
  writeFileSync(file, stringify({ ...config, contexts, users }));
}
