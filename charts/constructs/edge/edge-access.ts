import type { DescService } from '@bufbuild/protobuf';
import type { Problem } from '../../../core/problem.ts';
import { anyMethod, patternName, patternsOf } from '../../../http-rule/pattern.ts';
import type { Pattern } from '../../../http-rule/pattern.ts';
import type { IstioSpec } from '../../model/istio-models.ts';
import type { Method } from '../scope/method.ts';
import { indistinguishable, istioPaths } from '../http/istio-paths.ts';
import { waysOf } from '../http/ways.ts';
import { pathOf } from '../access/authorization.ts';
import { fullName, type Asked } from './expose.ts';
import { isGrpc } from './grpc-access.ts';
import type { HostMatch } from './hosts.ts';
import type { OpenRoute } from './web-routes.ts';
import { claimKey, requirementOf, type Jwt, type Requirement } from './jwt.ts';

/** What an edge lets in: at the ingress gateways, or where those belong to others at its own proxy. */
export interface EdgeAccess {
  /** Labels of the pods whose proxies hold it. */
  readonly pods: Readonly<Record<string, string>>;
  /** Identity of the only gateways that requests may come through. @default - the pods are those gateways */
  readonly through?: string;
  /** Those that are served by their google.api.http paths. */
  readonly methods: readonly Method[];
  /** Those that native gRPC clients may call. @default - none */
  readonly grpc?: readonly Method[];
  /** Those of services over plain HTTP. @default - none */
  readonly routes?: readonly OpenRoute[];
  readonly jwt: Jwt<string> | undefined;
  /** Where its requests come in, as a port of the pods. */
  readonly port: number;
  readonly hosts: HostMatch;
  /** Names a TLS client has to ask for. @default - any */
  readonly serverNames?: readonly string[];
  /** Whether browsers' preflight requests are let in, which carry no token. */
  readonly preflights: boolean;
  /** Paths that everybody may read, beside the methods. @default - none */
  readonly pages?: readonly string[];
  /** Where everything is answered with a redirect. @default - nowhere */
  readonly redirect?: { readonly port: number; readonly hosts: HostMatch };
}

type Rule = NonNullable<IstioSpec<'AuthorizationPolicy'>['rules']>[number];
type Condition = NonNullable<Rule['when']>[number];

/** Who may make a request: one of the ways to say it in a rule. */
interface Bearer {
  /** Whose tokens. @default - anybody's, or none */
  readonly requestPrincipals?: string[];
  readonly when: readonly Condition[];
}

/**
 * The AuthorizationPolicy that lets exactly the exposed methods in at the ingress gateways, by HTTP method, path and
 * host, each with the token it asks for; those that stream also by GET, the handshake of WebSocket, the others also by
 * HEAD where they have GET; and of native gRPC calls exactly those of the exposed methods. What no edge lets in gets 403 there: the mesh's own policy allows nothing. No rule is without
 * an operation, and no operation without a path: to Istio that would be every request.
 */
export function edgePolicy(access: EdgeAccess): IstioSpec<'AuthorizationPolicy'> {
  const { jwt, methods, grpc = [], routes = [], pages = [], port, hosts, preflights, redirect } = access;
  const { serverNames, pods, through } = access;
  const from = (source: { readonly requestPrincipals?: string[] } = {}): Pick<Rule, 'from'> => {
    const all = { ...(through === undefined ? {} : { principals: [through] }), ...source };
    return Object.keys(all).length === 0 ? {} : { from: [{ source: all }] };
  };
  const operation = { ports: [String(port)], ...hosts };
  const sni: Condition[] =
    serverNames === undefined ? [] : [{ key: 'connection.sni', values: [...serverNames] }];
  // A path of one method may match another's name, `/{*}/{*}` any: what goes to a service itself is allowed by its name alone. And the
  // HTTP gateway takes no gRPC, by whose deadlines Envoy would end requests as those that its pod did not answer.
  const rest: Condition[] = [...sni, isGrpc(false)];
  const rules = byRequirement(jwt, methods).flatMap(({ requirement, asked }): Rule[] => {
    const beside = servicesOf(methods);
    const patterns = asked.flatMap(({ descriptor }) => waysOf(descriptor, beside));
    const to = byHttpMethods(patterns).map(({ httpMethods, paths }) => ({
      operation: { ...operation, ...(httpMethods === undefined ? {} : { methods: httpMethods }), paths },
    }));
    if (to.length === 0) return [];
    return bearers(jwt, requirement).map(({ when, ...source }) => ({
      ...from(source),
      to,
      ...conditions([...rest, ...when]),
    }));
  });
  for (const { requirement, asked } of byRequirement(jwt, grpc)) {
    const to = [{ operation: { ...operation, methods: ['POST'], paths: sorted(asked.map(pathOf)) } }];
    const allowed = bearers(jwt, requirement).map(({ when, ...source }) => ({
      ...from(source),
      to,
      ...conditions([...sni, isGrpc(true), ...when]),
    }));
    rules.push(...allowed);
  }
  const toRoute = ({ route: { path }, notPaths }: OpenRoute, verbs: readonly string[]) => ({
    operation: {
      ...operation,
      ...{ methods: [...verbs], paths: [path] },
      ...(notPaths.length === 0 ? {} : { notPaths: [...notPaths] }),
    },
  });
  const opened = new Map(routes.map((one) => [one.route, one]));
  for (const { requirement, asked } of byRequirement(jwt, [...opened.keys()])) {
    const to = asked.flatMap((route) => {
      const open = opened.get(route);
      return open === undefined ? [] : [toRoute(open, route.verbs)];
    });
    const allowed = bearers(jwt, requirement).map(({ when, ...source }) => ({
      ...from(source),
      to,
      ...conditions([...sni, isGrpc(false), noUpgrade, ...when]),
    }));
    rules.push(...allowed);
  }
  const paths = sorted(methods.flatMap(({ descriptor }) => patternsOf(descriptor)).flatMap(istioPaths));
  if (preflights && paths.length + routes.length > 0) {
    const asked = ['origin', 'access-control-request-method'];
    rules.push({
      ...from(),
      to: [
        ...(paths.length === 0 ? [] : [{ operation: { ...operation, methods: ['OPTIONS'], paths } }]),
        ...routes.map((one) => toRoute(one, ['OPTIONS'])),
      ],
      ...conditions([...rest, ...asked.map((name) => ({ key: `request.headers[${name}]`, values: ['*'] }))]),
    });
  }
  if (pages.length > 0) {
    const read = { ...operation, methods: ['GET', 'HEAD'], paths: [...pages] };
    rules.push({ ...from(), to: [{ operation: read }], ...conditions(rest) });
  }
  if (redirect !== undefined) {
    rules.push({ to: [{ operation: { ports: [String(redirect.port)], ...redirect.hosts } }] });
  }
  return { selector: { matchLabels: pods }, action: 'ALLOW', rules };
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
      const beside = servicesOf(methods);
      const ours = waysOf(method.descriptor, beside);
      const theirs = waysOf(other.descriptor, beside);
      const pair = ours.flatMap((a) =>
        theirs.filter((b) => indistinguishable(a, b)).map((b) => ({ a, b })),
      )[0];
      if (pair === undefined) return [];
      return [
        {
          where,
          what:
            `the gateways cannot tell ${fullName(method)} (${pair.a.name}) ` +
            `from ${fullName(other)} (${pair.b.name}) by path, yet their tokens or limits differ`,
          fix: 'give both the same tokens and limits, change the path of one, or expose it at an edge of its own',
        },
      ];
    }),
  );
}

/**
 * Methods that take OPTIONS where preflight requests, which the gateways do not authenticate, would be let through to
 * them: without the token they ask for, or with claim metadata that the client made up.
 */
export function preflightProblems(
  edge: string,
  methods: readonly Method[],
  { cors, jwt }: { readonly cors: boolean; readonly jwt: Jwt<string> | undefined },
): readonly Problem[] {
  const claims = Object.keys(jwt?.claims ?? {}).length > 0;
  return methods.flatMap((method): Problem[] => {
    const pattern = patternsOf(method.descriptor).find(({ httpMethod }) =>
      [anyMethod, 'OPTIONS'].includes(httpMethod),
    );
    if (pattern === undefined) return [];
    const what = `${fullName(method)} takes OPTIONS (${patternName(pattern)})`;
    if (cors) {
      const because = 'and preflight requests are let in without a token';
      const fix = 'bind it to other HTTP methods, or expose it at an edge without cors';
      return [{ where: `${edge}: cors`, what: `${what}, ${because}`, fix }];
    }
    if (!claims || requirementOf(jwt, method).token) return [];
    const because = 'and the gateways do not remove claim metadata from preflight requests';
    const fix = 'bind it to other HTTP methods, or remove it from except';
    return [{ where: `${edge}: jwt.claims`, what: `${what}, ${because}`, fix }];
  });
}

/** A page of another site may open a WebSocket in its visitor's name, and a server over plain HTTP need not look whose page it is. */
const noUpgrade: Condition = { key: 'request.headers[upgrade]', notValues: ['*'] };

/** What asks for the same of a request, together. */
function byRequirement<A extends Asked>(jwt: Jwt<string> | undefined, methods: readonly A[]) {
  const groups = new Map<string, { requirement: Requirement; asked: A[] }>();
  for (const method of methods) {
    const requirement = requirementOf(jwt, method);
    const key = JSON.stringify(requirement);
    const group = groups.get(key) ?? { requirement, asked: [] };
    group.asked.push(method);
    groups.set(key, group);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}

/** What an edge's gateway serves: it has the services whole. */
export function servicesOf(methods: readonly Method[]): readonly DescService[] {
  return [...new Set(methods.map(({ descriptor }) => descriptor.parent))];
}

/** Paths with the HTTP methods that have just these; undefined for every HTTP method. */
function byHttpMethods(patterns: readonly Pattern[]) {
  const groups = new Map<string, { httpMethods: string[] | undefined; paths: string[] }>();
  for (const httpMethod of sorted(patterns.map((pattern) => pattern.httpMethod))) {
    const paths = sorted(patterns.filter((pattern) => pattern.httpMethod === httpMethod).flatMap(istioPaths));
    const key = httpMethod === anyMethod ? anyMethod : JSON.stringify(paths);
    const known = groups.get(key)?.httpMethods;
    if (known === undefined) {
      groups.set(key, { httpMethods: httpMethod === anyMethod ? undefined : [httpMethod], paths });
    } else known.push(httpMethod);
  }
  return [...groups.values()];
}

/**
 * Who may make a request. The gateways take the tokens of every edge's issuer, and the claims of each go on as metadata:
 * where an edge passes claims on, also what needs no token is for this issuer's, or for none at all.
 */
function bearers(jwt: Jwt<string> | undefined, { token, claims }: Requirement): readonly Bearer[] {
  const anybody = { when: [] };
  if (jwt === undefined) return [anybody];
  const ours: Bearer = {
    requestPrincipals: [`${jwt.issuer}/*`],
    when: [
      { key: 'request.auth.audiences', values: [...jwt.audiences] },
      ...claims.map(({ claim, values }) => ({ key: claimKey(claim), values: [...values] })),
    ],
  };
  if (token) return [ours];
  if (Object.keys(jwt.claims ?? {}).length === 0) return [anybody];
  return [{ when: [{ key: claimKey('iss'), notValues: ['*'] }] }, ours];
}

function conditions(when: Condition[]): Pick<Rule, 'when'> {
  return when.length === 0 ? {} : { when };
}

function sorted(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}
