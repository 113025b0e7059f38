import type { Problem } from '../../../core/problem.ts';
import { groupOf, list, text, title } from '../../model/rendered.ts';
import type { KubernetesObject } from '../../model/mesh-model.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';
import { selectorOf } from '../rules/about-pods.ts';
import { allowsAll, namesCaller, restricts } from '../rules/access-rules.ts';
import { touchesAccess } from '../rules/mesh-rules.ts';
import { aboutDeclared, isAccepted, orReason, titlesOf } from './own.ts';

interface Changing {
  readonly rule: string;
  readonly does: string;
  readonly fix: string;
  /** A rule of every object that is stricter: what is against that is told as that, and has its reason there. @default - none */
  readonly stricter?: (object: KubernetesObject) => readonly unknown[];
}

/** What kinds of one's own do to declared pods that they are about, by the rule whose reason lets them. */
const changing: Readonly<Record<string, Changing | undefined>> = {
  'security.istio.io AuthorizationPolicy': {
    rule: 'declared-access',
    does: 'allows calls to',
    fix: 'grant them with calls, callsHttp or existingCaller, or have it select pods of your own',
    stricter: allowsAll,
  },
  'security.istio.io RequestAuthentication': {
    rule: 'declared-access',
    does: 'says whose tokens are believed at',
    fix: 'use jwt of an HttpEdge, or have it select pods of your own',
  },
  'networking.istio.io EnvoyFilter': {
    rule: 'own-proxy',
    does: 'changes the proxies of',
    fix: 'use the constructs for it, or have it select pods of your own',
    stricter: touchesAccess,
  },
  'networking.istio.io ProxyConfig': {
    rule: 'own-proxy',
    does: 'changes the proxies of',
    fix: 'have it select pods of your own',
  },
};

/**
 * What is somebody's own gives no access to declared pods beside what the declaration grants, and does not change their proxies. On pods of
 * one's own, a policy that allows calls says who may call.
 */
export function loosened({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) =>
    cluster.objects
      .filter(({ own }) => own === true)
      .flatMap((one) => [...aboutOthers(cluster, one), ...allowsAnybody(one)]),
  );
}

function aboutOthers(cluster: RenderedCluster, one: RenderedObject): readonly Problem[] {
  const { where, object } = one;
  const kind = `${groupOf(object)} ${object.kind}`;
  const known = changing[kind];
  if (known === undefined || isAccepted(one, known.rule) || isTold(known, object)) return [];
  // What denies or asks others leaves what is allowed as it is; without a rule it allows nothing.
  if (object.kind === 'AuthorizationPolicy' && (!allows(one) || rulesOf(one).length === 0)) return [];
  const pods = aboutDeclared(cluster, one);
  if (pods.length === 0) return [];
  const selector = selectorOf(object);
  const isAll = Object.keys(selector).length === 0;
  return [
    {
      where,
      what: `${title(object)} ${known.does} ${titlesOf(pods.map(({ of }) => of))}, which the mesh declares`,
      received: isAll ? 'no selector: all pods of its namespace' : selector,
      fix: orReason(known.fix, known.rule),
    },
  ];
}

function isTold({ stricter }: Changing, object: KubernetesObject): boolean {
  return stricter !== undefined && stricter(object).length > 0;
}

/** Rules that say what may be called and not by whom. What excludes nothing at all is against a rule of every object. */
function allowsAnybody(one: RenderedObject): readonly Problem[] {
  const { where, object } = one;
  if (groupOf(object) !== 'security.istio.io' || object.kind !== 'AuthorizationPolicy') return [];
  if (!allows(one) || isAccepted(one, 'no-allow-all')) return [];
  return rulesOf(one).flatMap((rule, index): readonly Problem[] => {
    if (!restricts(rule) || namesCaller(rule)) return [];
    const what = `${title(object)}: spec.rules[${index}] says what may be called and not by whom, so that anybody may`;
    return [{ where, what, fix: orReason('say who may call (from)', 'no-allow-all') }];
  });
}

function allows({ object }: RenderedObject): boolean {
  return (text(object, 'spec', 'action') ?? 'ALLOW') === 'ALLOW';
}

function rulesOf({ object }: RenderedObject): readonly unknown[] {
  return list(object, 'spec', 'rules');
}
