import type { GatewayModel } from '../../charts/model/mesh-model.ts';
import { ProblemsError } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import { execInPod } from '../kube/pod-exec.ts';
import type { Container } from '../kube/pod-exec.ts';

/** How a try to connect failed. */
export interface Failure {
  /** `stranger`: something else than an east-west gateway answered. `untried`: the try could not be made. */
  readonly kind: 'refused' | 'silent' | 'no-route' | 'no-name' | 'stranger' | 'untried';
  /** For people. */
  readonly because: string;
}

/** Longest that a connection and its first answer may take, in seconds. */
const answerSeconds = 3;

/**
 * Tries an address once from a proxy's container. `pilot-agent wait` is the only program in every image of a proxy, without
 * a shell too, that connects to wherever it is told. It asks for HTTPS, ends with an error unless that answers 200, and prints
 * the error of Go's net/http. A gateway that passes TLS through takes the connection, and cuts it off once TLS asks for no name
 * that it knows; other servers show a certificate, or speak no TLS.
 * @returns undefined when it was reached
 */
export async function tryGateway(
  client: KubeClient,
  container: Container,
  address: string,
  signal: AbortSignal | undefined,
): Promise<Failure | undefined> {
  // One try: the next period would begin when the time is over.
  const once = ['--timeoutSeconds', '1', '--periodMillis', '600'];
  const limit = ['--requestTimeoutMillis', String(answerSeconds * 1000)];
  const command = ['pilot-agent', 'wait', '--url', `https://${address}`, ...once, ...limit];
  try {
    await execInPod(client, container, command, signal);
    return { kind: 'stranger', because: 'a web server answers there' };
  } catch (error) {
    if (!(error instanceof ProblemsError)) throw error;
    return readError(error.problems.map(({ what }) => what).join('; '));
  }
}

const lastError = /Last error: (?:Get "[^"]*": )?(.*)/;

/** What Go's error says of the connection. */
function readError(said: string): Failure | undefined {
  const error = lastError.exec(said)?.[1];
  if (error === undefined) return { kind: 'untried', because: `it cannot be tried: ${said}` };
  // After the connection was there: `read tcp A->B: read: connection reset by peer`, or its end.
  if (/^(EOF|unexpected EOF)$/.test(error) || /^(read|write) tcp .*(reset by peer|broken pipe)$/.test(error))
    return undefined;
  if (error.includes('lookup ')) return { kind: 'no-name', because: error.replace(/^dial tcp: /, '') };
  if (error.endsWith('connection refused')) return { kind: 'refused', because: 'connection refused' };
  if (/(no route to host|network is unreachable)$/.test(error))
    return { kind: 'no-route', because: error.replace(/^.*: connect: /, '') };
  if (/i\/o timeout|Client\.Timeout|TLS handshake timeout|connection timed out/.test(error))
    return { kind: 'silent', because: `no answer within ${answerSeconds} s` };
  return { kind: 'stranger', because: `what answers there is no east-west gateway (${error})` };
}

/** Who tried whom, for how long. */
export interface TrialPlace {
  readonly gateway: GatewayModel;
  readonly from: string;
  readonly to: string;
  /** `HOST:PORT` */
  readonly address: string;
  /** Whether the address is declared, not in a Service's status. */
  readonly declared: boolean;
  readonly seconds: number;
}

/** The problem of an address that is not reached in time. */
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
    ? `declare in ${key} a node of ${to} and the port that it is reached by`
    : `see where the load balancer of ${service} sends its connections`;
  switch (kind) {
    case 'untried':
      return `see that the east-west gateway of ${from} has a ready pod, and that you may run programs in it (pods/exec)`;
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
