import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { execInPod } from '../kube/pod-exec.ts';
import type { Container } from '../kube/pod-exec.ts';

/** How a try to connect failed. */
export interface Failure {
  /** `stranger`: something other than an east-west gateway answered. `untried`: the connection could not be tried. */
  readonly kind: 'refused' | 'silent' | 'no-route' | 'no-name' | 'stranger' | 'untried';
  /** The reason, as shown to the user. */
  readonly because: string;
}

/** Time limit for a connection and its first answer, in seconds. */
const answerSeconds = 3;

/**
 * Tries an address once from a proxy's container. `pilot-agent wait` is the only program in every proxy image, also in those
 * without a shell, that connects to a given address. It sends an HTTPS request, fails unless the answer is 200, and prints the
 * error of Go's net/http. A gateway that passes TLS through accepts the connection, and closes it when the TLS handshake
 * has no known server name; other servers present a certificate, or do not use TLS.
 * @returns undefined when the gateway was reached
 */
export async function tryGateway(
  client: KubeClient,
  container: Container,
  address: string,
  signal: AbortSignal | undefined,
): Promise<Failure | undefined> {
  const said = await ask(client, container, `https://${address}`, signal);
  if (said === undefined) return { kind: 'stranger', because: 'a web server answers there' };
  const error = lastErrorOf(said);
  return error !== undefined && isCutOff(error) ? undefined : readError(said, 'an east-west gateway');
}

/** The path by which a proxy says that it is ready, on its status port. */
const readyPath = '/healthz/ready';

/**
 * Tries the status port of a pod's proxy once from another proxy's container, in the same way.
 * @param address - `IP:PORT`
 * @returns undefined when it was answered with 200
 */
export async function tryPod(
  client: KubeClient,
  container: Container,
  address: string,
  signal: AbortSignal | undefined,
): Promise<Failure | undefined> {
  const said = await ask(client, container, `http://${address}${readyPath}`, signal);
  if (said === undefined) return undefined;
  const error = lastErrorOf(said);
  // Firewalls accept connections, too, and cut them off.
  if (error !== undefined && isCutOff(error))
    return {
      kind: 'stranger',
      because: `the connection was accepted, and closed without an answer (${error})`,
    };
  return readError(said, "a gateway's proxy");
}

/** What `pilot-agent wait` says of a URL; undefined where that is answered with 200. */
async function ask(
  client: KubeClient,
  container: Container,
  url: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  // One try only: the next period would begin after the time-out.
  const once = ['--timeoutSeconds', '1', '--periodMillis', '600'];
  const limit = ['--requestTimeoutMillis', String(answerSeconds * 1000)];
  try {
    await execInPod(client, container, ['pilot-agent', 'wait', '--url', url, ...once, ...limit], signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return error.problems.map(({ what }) => what).join('; ');
  }
}

const lastError = /Last error: (?:Get "[^"]*": )?(.*)/;

function lastErrorOf(message: string): string | undefined {
  return lastError.exec(message)?.[1];
}

/** After the connection was established: `read tcp A->B: read: connection reset by peer`, or end of file. */
function isCutOff(error: string): boolean {
  return (
    /^(EOF|unexpected EOF)$/.test(error) || /^(read|write) tcp .*(reset by peer|broken pipe)$/.test(error)
  );
}

/**
 * The failure of the connection, from Go's error.
 * @param expected - what should be at the address
 */
function readError(message: string, expected: string): Failure {
  const error = lastErrorOf(message);
  if (error === undefined) return { kind: 'untried', because: `the connection cannot be tried: ${message}` };
  if (error.includes('lookup ')) return { kind: 'no-name', because: error.replace(/^dial tcp: /, '') };
  if (error.endsWith('connection refused')) return { kind: 'refused', because: 'connection refused' };
  if (/(no route to host|network is unreachable)$/.test(error))
    return { kind: 'no-route', because: error.replace(/^.*: connect: /, '') };
  if (/i\/o timeout|Client\.Timeout|TLS handshake timeout|connection timed out/.test(error))
    return { kind: 'silent', because: `no answer within ${answerSeconds} s` };
  return { kind: 'stranger', because: `the server at this address is not ${expected} (${error})` };
}

/** Which cluster tried which gateway, and for how long. */
export interface TrialPlace {
  readonly gateway: GatewayModel;
  readonly from: string;
  readonly to: string;
  /** `HOST:PORT` */
  readonly address: string;
  /** Whether the address is declared, rather than read from a Service's status. */
  readonly declared: boolean;
  readonly seconds: number;
}

/** The problem for an address that was not reached in time. */
export function explain({ kind, because }: Failure, place: TrialPlace): Problem {
  const { from, to, address, seconds } = place;
  return {
    where: `from ${from} to ${to}: east-west gateway`,
    what: `not reached from inside ${from} within ${seconds} s: ${because}`,
    received: address,
    fix: `${fixFor(kind, place)}, then run the command again`,
  };
}

function fixFor(kind: Failure['kind'], { gateway, from, to, address, declared }: TrialPlace): string {
  const service = `Service ${gateway.namespace}/${gateway.name} in ${to}`;
  const key = `clusters.${to}.gateways.eastWest`;
  const behind = declared
    ? `declare in ${key} a node of ${to} and the port at which it is reached`
    : `check where the load balancer of ${service} sends its connections`;
  switch (kind) {
    case 'untried':
      return `check that the east-west gateway of ${from} has a ready pod, and that you may run commands in it (pods/exec)`;
    case 'no-name':
      return `let the DNS of ${from} resolve the host name${declared ? `, or declare another address in ${key}` : ''}`;
    case 'refused':
    case 'stranger':
      return behind;
    case 'silent':
    case 'no-route':
      return `let the pods of ${from} connect to ${address} over TCP (firewalls, routes${declared ? '' : ', sources of the load balancer'}), or ${behind}`;
  }
}
