import type { Problem } from '../../../core/problem.ts';
import { selects } from '../pods.ts';
import { field, list, mapping, text, texts, title } from '../../model/rendered.ts';
import type { OthersIstio, RenderedCluster, RenderedObject } from '../../model/rendered.ts';

/** Where objects name what they are about: autoscalers what they scale, policies what they are for. */
const references = ['scaleTargetRef', 'targetRef'] as const;

/** In a namespace that the mesh does not make: what is about an object, by its name, that the mesh does not have there. */
export function aboutObjectsOfOthers(
  { where, object }: RenderedObject,
  cluster: RenderedCluster,
): readonly Problem[] {
  const named = [
    ...references.map((key) => [`spec.${key}`, field(object, 'spec', key)] as const),
    ...list(object, 'spec', 'targetRefs').map(
      (target, index) => [`spec.targetRefs[${index}]`, target] as const,
    ),
  ];
  return named.flatMap(([path, target]): readonly Problem[] => {
    if (target === undefined) return [];
    const namespace = text(target, 'namespace') ?? object.metadata.namespace;
    // What scalers of KEDA leave out.
    const kind = text(target, 'kind') ?? 'Deployment';
    const isOurs = cluster.objects.some(
      ({ object: { kind: other, metadata } }) =>
        other === kind && metadata.name === text(target, 'name') && metadata.namespace === namespace,
    );
    if (isOurs) return [];
    const what = `${title(object)}: ${path} is an object of others`;
    const received = `${kind} ${namespace ?? ''}/${text(target, 'name') ?? ''}`;
    return [{ where, what, received, fix: 'name an object of the mesh, or remove it' }];
  });
}

/** In a namespace that the mesh does not make: rights on more than what is named, which others may have. */
export function rightsOnOthers(
  { where, object }: RenderedObject,
  amongOthers: readonly RenderedObject[],
): readonly Problem[] {
  const { namespace = '' } = object.metadata;
  const consequence = `what others have in namespace ${namespace}`;
  if (object.kind === 'Role')
    return list(object, 'rules').flatMap((rule, index): readonly Problem[] => {
      const verbs = texts(rule, 'verbs');
      // No name restricts it, and it gives no right on what is there.
      const isNamed = texts(rule, 'resourceNames').length > 0 || verbs.every((verb) => verb === 'create');
      if (isNamed) return [];
      const what = `${title(object)}: rules[${index}] gives rights on ${consequence}`;
      const received = { verbs, resources: texts(rule, 'resources') };
      return [{ where, what, received, fix: 'add resourceNames, of objects of the mesh' }];
    });
  if (object.kind !== 'RoleBinding') return [];
  const [kind, name] = [text(object, 'roleRef', 'kind') ?? '', text(object, 'roleRef', 'name') ?? ''];
  const isOurs =
    kind === 'Role' &&
    amongOthers.some(
      ({ object: { kind: other, metadata } }) =>
        other === 'Role' && metadata.name === name && metadata.namespace === namespace,
    );
  if (isOurs) return [];
  const what = `${title(object)} gives rights on ${consequence}`;
  const fix = 'bind a Role of the mesh there, whose rules have resourceNames';
  return [{ where, what, received: `${kind} ${name}`, fix }];
}

/** A claim of gateways of others to every host: they would answer for those that nobody serves. */
export function everyHost({ where, object }: RenderedObject, istio: OthersIstio): readonly Problem[] {
  // With the labels of the mesh it is for gateways of the mesh's own.
  if (selects(istio.labels, mapping(object, 'spec', 'selector'))) return [];
  return list(object, 'spec', 'servers').flatMap((server, index): readonly Problem[] => {
    const received = texts(server, 'hosts').filter((host) => host.split('/').at(-1) === '*');
    if (received.length === 0) return [];
    const what = `${title(object)}: spec.servers[${index}].hosts has every host of gateways that belong to others`;
    return [{ where, what, received, fix: 'name the hosts' }];
  });
}
