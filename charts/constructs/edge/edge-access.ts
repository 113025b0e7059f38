import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../istio-models.ts';
import type { Method } from '../method.ts';
import { ingressGateway } from '../names.ts';
import { bindingsOf, istioPaths, overlap, type Binding } from '../http-bindings.ts';
import { fullName } from './expose.ts';
import type { HostMatch } from './hosts.ts';
import { claimKey, requirementOf, type Jwt, type Requirement } from './jwt.ts';

/** What an edge lets in at the ingress gateways. */
export interface EdgeAccess {
  readonly methods: readonly Method[];
  readonly jwt: Jwt<string> | undefined;
  /** Where its requests come in, as a port of the gateways' pods. */
  readonly port: number;
  readonly hosts: HostMatch;
  /** Names a TLS client has to ask for. @default - any */
  readonly serverNames?: readonly string[];
  /** Whether browsers' preflight requests are let in, which carry no token. */
  readonly preflights: boolean;
  /** Where everything is answered with a redirect. @default - nowhere */
  readonly redirect?: { readonly port: number; readonly hosts: HostMatch };
}

type Rule = NonNullable<IstioSpec<'AuthorizationPolicy'>['rules']>[number];
type Condition = NonNullable<Rule['when']>[number];

/**
 * The AuthorizationPolicy that lets exactly the exposed methods in at the ingress gateways, by HTTP method, path and
 * host, each with the token it asks for. What no edge lets in gets 403 there: the mesh's own policy allows nothing.
 */
export function edgePolicy(access: EdgeAccess): IstioSpec<'AuthorizationPolicy'> {
  const { jwt, methods, port, hosts, preflights, redirect, serverNames } = access;
  const operation = { ports: [String(port)], ...hosts };
  const sni: Condition[] =
    serverNames === undefined ? [] : [{ key: 'connection.sni', values: [...serverNames] }];
  const rules = byRequirement(jwt, methods).map(({ requirement, bindings }): Rule => {
    const to = byVerb(bindings).map(({ verb, paths }) => ({
      operation: { ...operation, ...(verb === '*' ? {} : { methods: [verb] }), paths },
    }));
    return {
      ...(jwt !== undefined && requirement.token
        ? { from: [{ source: { requestPrincipals: [`${jwt.issuer}/*`] } }] }
        : {}),
      to,
      ...conditions([...sni, ...tokenConditions(jwt, requirement)]),
    };
  });
  if (preflights) {
    const paths = sorted(methods.flatMap(({ descriptor }) => bindingsOf(descriptor)).flatMap(istioPaths));
    const asked = ['origin', 'access-control-request-method'];
    rules.push({
      to: [{ operation: { ...operation, methods: ['OPTIONS'], paths } }],
      ...conditions([...sni, ...asked.map((name) => ({ key: `request.headers[${name}]`, values: ['*'] }))]),
    });
  }
  if (redirect !== undefined) {
    rules.push({ to: [{ operation: { ports: [String(redirect.port)], ...redirect.hosts } }] });
  }
  return { selector: { matchLabels: { istio: ingressGateway.selector } }, action: 'ALLOW', rules };
}

/**
 * Methods whose requests the gateways cannot tell apart, though they ask for different tokens or limits: then the
 * weaker would hold for both.
 * @param asks - what holds for a method, as text to compare
 */
export function overlapProblems(
  where: string,
  methods: readonly Method[],
  asks: (method: Method) => string,
): readonly Problem[] {
  return methods.flatMap((method, index) =>
    methods.slice(0, index).flatMap((other): Problem[] => {
      if (asks(method) === asks(other)) return [];
      const ours = bindingsOf(method.descriptor);
      const theirs = bindingsOf(other.descriptor);
      const pair = ours.flatMap((a) => theirs.filter((b) => overlap(a, b)).map((b) => ({ a, b })))[0];
      if (pair === undefined) return [];
      return [
        {
          where,
          what:
            `the gateways cannot tell ${fullName(method)} (${pair.a.verb} ${pair.a.template}) ` +
            `from ${fullName(other)} (${pair.b.verb} ${pair.b.template}) by path, yet their tokens or limits differ`,
          fix: 'let the same hold for both, change the path of one, or expose it at an edge of its own',
        },
      ];
    }),
  );
}

function byRequirement(jwt: Jwt<string> | undefined, methods: readonly Method[]) {
  const groups = new Map<string, { requirement: Requirement; bindings: Binding[] }>();
  for (const method of methods) {
    const requirement = requirementOf(jwt, method);
    const key = JSON.stringify(requirement);
    const group = groups.get(key) ?? { requirement, bindings: [] };
    group.bindings.push(...bindingsOf(method.descriptor));
    groups.set(key, group);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

function byVerb(bindings: readonly Binding[]) {
  return sorted(bindings.map(({ verb }) => verb)).map((verb) => ({
    verb,
    paths: sorted(bindings.filter((binding) => binding.verb === verb).flatMap(istioPaths)),
  }));
}

function tokenConditions(jwt: Jwt<string> | undefined, { token, claims }: Requirement): Condition[] {
  if (jwt === undefined || !token) return [];
  return [
    { key: 'request.auth.audiences', values: [...jwt.audiences] },
    ...claims.map(({ claim, values }) => ({ key: claimKey(claim), values: [...values] })),
  ];
}

function conditions(when: Condition[]): Pick<Rule, 'when'> {
  return when.length === 0 ? {} : { when };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
