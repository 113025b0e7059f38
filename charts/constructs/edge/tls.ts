import { keysOf, unknownKeys } from '../../../core/keys.ts';
import type { Problem } from '../../../core/problem.ts';
import type { IstioSpec } from '../../model/istio-models.ts';

/** TLS between clients and the ingress gateways; inside the mesh there is mutual TLS in any case. */
export interface Tls {
  /**
   * Name of a Secret of type kubernetes.io/tls in the ingress gateways' namespace of every cluster: `istio-ingress`; on an Istio of
   * others `<mesh>-ingress`, or that of their gateways.
   * Who issues certificates makes it, such as cert-manager; what it holds is never read here.
   */
  readonly secret: string;
  /** Whether port 80 redirects to HTTPS (301); else it is closed for these hosts. @default true */
  readonly httpRedirect?: boolean;
}

const tlsKeys = keysOf<Tls>({ secret: true, httpRedirect: true });

/** Ports of the ingress gateways' Service. */
interface Ports {
  readonly http: number;
  readonly https: number;
}

type Server = NonNullable<IstioSpec<'Gateway'>['servers']>[number];

/** The servers of an edge's Istio Gateway: plain HTTP, or with TLS HTTPS and, unless told otherwise, the redirect to it. */
export function gatewayServers(tls: Tls | undefined, hosts: readonly string[], ports: Ports): Server[] {
  const http: Server = { port: { number: ports.http, name: 'http', protocol: 'HTTP' }, hosts: [...hosts] };
  if (tls === undefined) return [http];
  const https: Server = {
    port: { number: ports.https, name: 'https', protocol: 'HTTPS' },
    hosts: [...hosts],
    tls: { mode: 'SIMPLE', credentialName: tls.secret, minProtocolVersion: 'TLSV1_2' },
  };
  return redirects(tls) ? [{ ...http, tls: { httpsRedirect: true } }, https] : [https];
}

/** Whether plain HTTP is answered with a redirect. */
export function redirects(tls: Tls | undefined): boolean {
  return tls !== undefined && (tls.httpRedirect ?? true);
}

/** What is wrong with an edge's TLS settings. What was given for the Secret is not shown: it might be a key. */
export function tlsProblems(edge: string, tls: unknown, gateways: string): readonly Problem[] {
  if (tls === undefined) return [];
  const where = `${edge}: tls`;
  const { secret, httpRedirect } = (tls ?? {}) as { secret?: unknown; httpRedirect?: unknown };
  const problems: Problem[] = unknownKeys(where, tls, tlsKeys);
  if (typeof secret !== 'string' || !/^(?=.{1,253}$)[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(secret)) {
    problems.push({
      where: `${where}.secret`,
      what: 'is not the name of a Secret',
      allowed: 'up to 253 of a-z, 0-9, hyphens and dots',
      fix: `put the certificate and its key into a Secret of type kubernetes.io/tls in ${gateways}, and name it here`,
    });
  }
  if (httpRedirect !== undefined && typeof httpRedirect !== 'boolean') {
    problems.push({ where: `${where}.httpRedirect`, what: 'is not a boolean', received: httpRedirect });
  }
  return problems;
}

/** An edge by where it is declared and the TLS it has; plain JavaScript may have said anything. */
interface Secured {
  readonly where: string;
  readonly tls: unknown;
}

/**
 * A certificate that an earlier edge has, too. Browsers send requests for every host of a certificate over one HTTP/2
 * connection (RFC 9113, 9.1.1), and the gateways route a connection by the name it was opened for: the other edge's hosts
 * would be answered with 404
 * (https://istio.io/latest/docs/ops/common-problems/network-issues/#404-errors-occur-when-multiple-gateways-configured-with-same-tls-certificate).
 */
export function certificateProblems(
  { where, tls }: Secured,
  earlier: readonly Secured[],
): readonly Problem[] {
  const secretOf = (one: unknown) => (one as Partial<Tls> | null | undefined)?.secret as unknown;
  const received = secretOf(tls);
  const first = earlier.find((other) => typeof received === 'string' && secretOf(other.tls) === received);
  if (first === undefined) return [];
  const what =
    `is also the certificate of ${first.where}: browsers reuse an HTTP/2 connection for all hosts of a certificate, ` +
    'and the gateways would answer 404 for those of the other edge';
  const fix = 'give each edge a certificate for its own hosts only, or put the hosts into one edge';
  return [{ where: `${where}: tls.secret`, what, received, fix }];
}
