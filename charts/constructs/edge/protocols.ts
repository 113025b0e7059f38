import type { DescService } from '@bufbuild/protobuf';
import type { Problem } from '../../../core/problem.ts';
import type { Method } from '../scope/method.ts';
import type { Ingress } from '../scope/mesh-construct.ts';
import type { TrafficPolicyProps } from '../traffic/props.ts';
import { TrafficPolicy } from '../traffic/traffic-policy.ts';

type Rule = NonNullable<TrafficPolicyProps<string, string>['rules']>[number];

/** How an edge is called: over HTTP with JSON, by the google.api.http paths, or over gRPC, by native clients. */
export type EdgeProtocol = 'rest' | 'grpc';

const protocols: readonly unknown[] = ['rest', 'grpc'] satisfies readonly EdgeProtocol[];

/** What is wrong with the protocols of an edge; plain JavaScript may pass anything. */
export function protocolProblems(
  edge: string,
  declared: unknown,
  ingress: Pick<Ingress<string>, 'isJoined'>,
  exposed: readonly Method[],
  claims: ReadonlySet<string>,
): readonly Problem[] {
  if (declared === undefined) return [];
  const where = `${edge}: protocols`;
  const list: readonly unknown[] = Array.isArray(declared) ? declared : [];
  const allowed = "['rest'] or ['rest', 'grpc']";
  if (list.length === 0 || !list.every((one) => protocols.includes(one))) {
    return [{ where, what: 'is not a list of protocols', received: declared, allowed }];
  }
  if (new Set(list).size < list.length) {
    return [{ where, what: 'has a protocol twice', received: declared, allowed }];
  }
  if (!list.includes('rest')) {
    const what = 'leaves out rest, which the HTTP gateway of the edge is for';
    return [{ where, what, received: declared, allowed }];
  }
  if (!list.includes('grpc')) return [];
  if (ingress.isJoined) {
    const what =
      'has grpc, at gateways that belong to others: nothing there is ours, so that tokens and limits could be held by no proxy but ' +
      "the services' own, for callers in the mesh, too";
    const fix = "leave grpc out, or leave ingress out of the platform for gateways of the mesh's own";
    return [{ where, what, received: declared, fix }];
  }
  const services = [...new Set(exposed.map(({ service }) => service))];
  return services.flatMap((service) => [
    ...othersProblems(where, service),
    ...policyProblems(edge, service, claims),
  ]);
}

/** Those of others: their owners' policies would have to allow the gateways each method, and their routes are not known. */
function othersProblems(where: string, service: Method['service']): readonly Problem[] {
  if (!service.isExisting) return [];
  const what =
    'has grpc, and the edge exposes a service that belongs to others, whose routes and policies are not ours';
  const fix = 'expose it at an edge of its own, without grpc';
  return [{ where, what, received: service.where, fix }];
}

/**
 * Rules of a service that ask for metadata that claims go on as. A gateway looks for the route of a call before it reads the token, and
 * again only after a token that is valid: without one, a client would choose its route by a claim that it made up.
 */
function policyProblems(
  edge: string,
  { node }: Method['service'],
  claims: ReadonlySet<string>,
): readonly Problem[] {
  const policies = node.children.filter(
    (part): part is TrafficPolicy<DescService, string, string> => part instanceof TrafficPolicy,
  );
  return policies.flatMap(({ where, props: { rules } }) =>
    // What is no list of rules has a problem of its own.
    (Array.isArray(rules) ? (rules as readonly (Rule | undefined)[]) : []).flatMap((rule, index) =>
      Object.keys(rule?.metadata ?? {})
        .filter((name) => claims.has(name))
        .map((received) => ({
          where: `${where}: rules[${index}].metadata`,
          what: `is metadata of a claim, by which native gRPC clients of ${edge} could choose their route without a token`,
          received,
          fix: 'route by other metadata, or expose the service at an edge without grpc',
        })),
    ),
  );
}

/** Whether native gRPC clients may call an edge of these protocols; plain JavaScript may have said anything. */
export function takesGrpc(declared: unknown): boolean {
  return Array.isArray(declared) && declared.includes('grpc');
}
