import type { Problem } from '../../../core/problem.ts';
import { managedByLabel, partOfLabel } from '../../model/labels.ts';
import { field, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { podsOf, selects } from '../pods.ts';
import type { Pods } from '../pods.ts';
import { selectorOf } from '../rules/about-pods.ts';
import { endpointsTaken } from './endpoints.ts';
import { closed, isAccepted, orReason, rootNamespace, titlesOf } from './own.ts';

const rule = 'own-identity';

/**
 * What is somebody's own is not taken for what the declaration says: no pods have the account of a declared workload, and so its rights, nor the
 * labels that its Services and policies know its pods by, and nothing stands in the place of its endpoints.
 */
export function taken({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => {
    const accounts = new Map(
      ofKind(cluster, 'ServiceAccount')
        .filter(({ own }) => own !== true)
        .map((one) => [`${one.object.metadata.namespace ?? ''}/${one.object.metadata.name}`, one]),
    );
    const selecting = cluster.objects.filter(({ own, object }) => own !== true && isOne(selectorOf(object)));
    return [
      ...podsOf(cluster)
        .filter(({ of }) => of.own === true && !isAccepted(of, rule))
        .flatMap((pods) => [
          ...accountTaken(pods, accounts),
          ...labelsTaken(pods, selecting),
          ...amongMeshs(pods),
        ]),
      ...tokensTaken(cluster, accounts),
      ...endpointsTaken(cluster, rule),
    ];
  });
}

type Accounts = ReadonlyMap<string, RenderedObject>;

/** The labels of every pod of the mesh say of none which it is. */
function isOne(selector: Readonly<Record<string, string>>): boolean {
  return Object.keys(selector).some((label) => ![managedByLabel, partOfLabel].includes(label));
}

function accountTaken({ of, pod, namespace }: Pods, accounts: Accounts): readonly Problem[] {
  const received = text(pod, 'spec', 'serviceAccountName') ?? text(pod, 'spec', 'serviceAccount') ?? '';
  const owner = accounts.get(`${namespace}/${received}`);
  if (owner === undefined) return [];
  return [
    {
      where: of.where,
      what: `${title(of.object)}: its pods run as the service account of ${owner.where}, and may call whatever that may`,
      received,
      fix: orReason('give them an account of their own', rule),
    },
  ];
}

function labelsTaken(
  { of, namespace, labels }: Pods,
  selecting: readonly RenderedObject[],
): readonly Problem[] {
  const knowing = selecting.filter(({ object }) => {
    const home = object.metadata.namespace;
    // A Gateway is for pods of whatever namespace.
    const isNear = home === namespace || home === rootNamespace || object.kind === 'Gateway';
    return isNear && selects(selectorOf(object), labels);
  });
  const [first] = knowing;
  if (first === undefined) return [];
  return [
    {
      where: of.where,
      what: `${title(of.object)}: its pods have the labels by which ${titlesOf(knowing)} ${knowing.length === 1 ? 'knows' : 'know'} pods of the mesh, and are taken for those`,
      received: selectorOf(first.object),
      fix: orReason('give them labels of their own', rule),
    },
  ];
}

function amongMeshs({ of, namespace }: Pods): readonly Problem[] {
  if (!closed.includes(namespace)) return [];
  return [
    {
      where: of.where,
      what: `${title(of.object)}: its pods run in a namespace of the mesh itself, where they may be any account and mount any Secret, such as keys of certificates`,
      received: namespace,
      fix: orReason('put them into a namespace for applications', rule),
    },
  ];
}

/** Secrets for which Kubernetes makes a token of an account, one that never ends. */
function tokensTaken(cluster: RenderedCluster, accounts: Accounts): readonly Problem[] {
  return ofKind(cluster, 'Secret').flatMap((secret): readonly Problem[] => {
    const { where, object } = secret;
    if (field(object, 'type') !== 'kubernetes.io/service-account-token' || isAccepted(secret, rule))
      return [];
    const received = object.metadata.annotations?.['kubernetes.io/service-account.name'] ?? '';
    const owner = accounts.get(`${object.metadata.namespace ?? ''}/${received}`);
    if (owner === undefined) return [];
    const what = `${title(object)} gets a token of the service account of ${owner.where} that never ends`;
    return [{ where, what, received, fix: orReason('remove it', rule) }];
  });
}
