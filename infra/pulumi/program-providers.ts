import { KubeConfig } from '@kubernetes/client-node';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Problem } from '../../core/problem.ts';
import type { ClusterAccess } from '../kube/connection.ts';
import { providerSettings } from './provider-settings.ts';

const fix = 'make it by new kubernetes.Provider(NAME, { kubeconfig, ...providerSettings })';

/**
 * What is wrong with the provider of a cluster, as far as it can be seen: it keeps its arguments as outputs, those that are no
 * text in JSON. What is not known yet in a preview is looked at in the update.
 * @param access - how the cluster is checked and waited for; nothing where that is not known, or wrong itself
 */
export async function providerProblems(
  name: string,
  provider: unknown,
  access: ClusterAccess | undefined,
): Promise<readonly Problem[]> {
  const where = `runStack: clusters.${name}.provider`;
  if (!kubernetes.Provider.isInstance(provider))
    return [{ where, what: 'is not a Kubernetes provider', fix }];
  const missing: string[] = [];
  for (const setting of Object.keys(providerSettings)) {
    const argument = await argumentOf(provider, setting);
    if (argument !== undefined && String(argument.value) !== 'true') missing.push(setting);
  }
  return [
    ...(missing.length === 0 ? [] : [{ where, what: `is made without ${missing.join(', ')}`, fix }]),
    ...(access === undefined ? [] : await serverProblems(name, provider, access)),
  ];
}

/** Providers that are given for several clusters: the objects of all would get into one. */
export function sharedProviders(providers: readonly (readonly [string, unknown])[]): readonly Problem[] {
  return providers.flatMap(([name, provider], index) => {
    const first = providers.findIndex(([, other]) => other === provider);
    if (first === index) return [];
    return [
      {
        where: `runStack: clusters.${name}.provider`,
        what: `is also that of clusters.${providers[first]?.[0] ?? ''}, and makes objects in one cluster alone`,
        allowed: 'a provider for each cluster',
        fix,
      },
    ];
  });
}

/** A provider that reaches another server than the checks: they would pass in one cluster, and objects get into another. */
async function serverProblems(
  name: string,
  provider: kubernetes.Provider,
  { context, content }: ClusterAccess,
): Promise<readonly Problem[]> {
  const [kubeconfig, itsContext, itsCluster] = await Promise.all(
    ['kubeconfig', 'context', 'cluster'].map(async (key) => argumentOf(provider, key)),
  );
  // What is not known may decide.
  if (kubeconfig === undefined || itsContext === undefined || itsCluster === undefined) return [];
  const checked = serverOf(content?.(), context);
  const made = serverOf(kubeconfig.value, itsContext.value, itsCluster.value);
  if (checked === undefined || made === undefined || checked === made) return [];
  return [
    {
      where: `runStack: clusters.${name}.provider`,
      what: 'reaches another server than the kubeconfig that the cluster is checked by',
      received: made,
      allowed: checked,
      fix: `give both the same kubeconfig, and its context as clusters.${name}.context`,
    },
  ];
}

/** The address that a kubeconfig's context names; nothing for what is no such text: a path, or what its reader refuses. */
function serverOf(content: unknown, context: unknown, cluster?: unknown): string | undefined {
  if (typeof content !== 'string') return undefined;
  const config = new KubeConfig();
  try {
    config.loadFromString(content, { onInvalidEntry: 'filter' });
  } catch {
    return undefined; // the reader's message quotes the text
  }
  if (typeof context === 'string' && context !== '') config.setCurrentContext(context);
  const named = typeof cluster === 'string' && cluster !== '' ? config.getCluster(cluster) : null;
  const { server } = named ?? config.getCurrentCluster() ?? {};
  if (server === undefined || !URL.canParse(server)) return undefined;
  const { origin, pathname } = new URL(server);
  return `${origin}${pathname.replace(/\/$/, '')}`;
}

/** An argument of a provider; nothing where it is not known yet. */
async function argumentOf(
  provider: kubernetes.Provider,
  key: string,
): Promise<{ readonly value: unknown } | undefined> {
  const output = (provider as unknown as Readonly<Record<string, unknown>>)[key];
  if (!pulumi.Output.isInstance(output)) return key in providerSettings ? undefined : { value: undefined };
  const { value, isKnown } = await see(output);
  return isKnown ? { value } : undefined;
}

/** Waits for an input; what is not known in a preview has no value. */
export async function see(
  input: unknown,
): Promise<{ readonly value: unknown; readonly isKnown: boolean; readonly isSecret: boolean }> {
  let value: unknown;
  let isKnown = false;
  const applied = pulumi.output(input as pulumi.Input<string>).apply((seen: unknown) => {
    value = seen;
    isKnown = true;
  });
  // It is settled when the value has been seen, or when it is known that there is none yet.
  const isSecret = await pulumi.isSecret(applied);
  return { value, isKnown, isSecret };
}
