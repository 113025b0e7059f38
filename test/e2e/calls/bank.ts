import { readFileSync } from 'node:fs';
import { kubectl } from '../checkout/lab.ts';
import type { Authority } from './authority.ts';
import type { Caller } from './call.ts';

const program = readFileSync(new URL('./bank-program.cjs', import.meta.url), 'utf8');
const namespace = 'default';
const name = 'bank';

/** Ports that it listens on. */
export const bankPorts = {
  /** HTTPS, with a certificate for bank.example of the authority that its callers know. */
  https: 7443,
  /** The same, of another authority. */
  stranger: 7444,
  /** Of the known authority, for another name. */
  misnamed: 7445,
  /** TLS for ledger.bank.example, which asks for a certificate of the known authority. */
  ledger: 7000,
  /** Plain TCP, where the server greets. */
  feed: 7001,
} as const;

/** Starts a pod outside the mesh that serves all of these ports, and returns its address. */
export async function startBank(
  cluster: string,
  image: string,
  known: Authority,
  stranger: Authority,
): Promise<string> {
  removeBank(cluster);
  const servers = [
    { port: bankPorts.https, kind: 'https', ...(await known.issue('bank.example')) },
    { port: bankPorts.stranger, kind: 'https', ...(await stranger.issue('bank.example')) },
    { port: bankPorts.misnamed, kind: 'https', ...(await known.issue('other.example')) },
    { port: bankPorts.ledger, kind: 'mutual', ca: known.ca, ...(await known.issue('ledger.bank.example')) },
    { port: bankPorts.feed, kind: 'plain' },
  ];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { 'sidecar.istio.io/inject': 'false' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name,
          image,
          command: ['/usr/bin/node', '-e', program, JSON.stringify(servers)],
          readinessProbe: { tcpSocket: { port: bankPorts.feed }, periodSeconds: 1 },
        },
      ],
    },
  };
  kubectl(cluster, 'apply', '-f', '-', { input: JSON.stringify(pod) });
  kubectl(cluster, '-n', namespace, 'wait', '--for=condition=Ready', `pod/${name}`, '--timeout=90s');
  return kubectl(cluster, '-n', namespace, 'get', `pod/${name}`, '-o', 'jsonpath={.status.podIP}');
}

/** Ends the pod, and waits until its processes are gone. */
export function removeBank(cluster: string): void {
  kubectl(cluster, '-n', namespace, 'delete', `pod/${name}`, '--ignore-not-found', '--grace-period=1');
}

/** A request in plaintext from inside a pod, which its proxy may encrypt, by the name of the bank. */
const httpProgram = `
const [host, port] = process.argv.slice(1);
const options = { host, port, headers: { host: 'bank.example:' + port }, timeout: 10000 };
const request = require('node:http').get(options, (response) => {
  let body = '';
  response.on('data', (data) => (body += data));
  response.on('end', () => console.log(JSON.stringify({ status: response.statusCode, body })));
});
request.on('timeout', () => request.destroy(new Error('no answer')));
request.on('error', (error) => console.log(JSON.stringify({ status: 0, body: error.code || error.message })));
`;

/** What a request got; the status 0 where the connection ended without an answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export function askBank(from: Caller, address: string, port: number): HttpAnswer {
  const { cluster, target, container } = from;
  const exec = ['-n', from.namespace, 'exec', target, '-c', container, '--', '/usr/bin/node', '-e'];
  return JSON.parse(kubectl(cluster, ...exec, httpProgram, address, String(port))) as HttpAnswer;
}
