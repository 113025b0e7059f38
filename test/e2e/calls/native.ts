import { connect } from 'node:http2';
import { Client, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { waitFor } from '../../../core/wait.ts';
import { addressOf } from './edge.ts';

/** A call of a native gRPC client from outside, with the empty message. */
export interface NativeCall {
  /** `/shop.catalog.v1.CatalogService/GetProduct` */
  readonly path: string;
  /** @default - any */
  readonly host?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Certificate of the authority to trust: the call is made over TLS. @default - HTTP/2 in plaintext */
  readonly ca?: string;
  readonly kind?: 'unary' | 'server stream';
  readonly deadlineMs?: number;
}

export interface NativeAnswer {
  /** A code of gRPC: 0 is OK. */
  readonly code: number;
  readonly details: string;
  /** Number of messages. */
  readonly messages: number;
  /** `cluster/pod`; empty for the answer of a proxy. */
  readonly servedBy: string;
  /** The metadata that the echo server got. */
  readonly seen: Readonly<Record<string, string>>;
}

const same = (bytes: Buffer) => bytes;

/** Makes a call by grpc-js, over a connection of its own, to the ingress gateway of a cluster. */
export async function callNative(cluster: string, call: NativeCall): Promise<NativeAnswer> {
  const { path, host = 'anything.example', metadata = {}, ca, kind = 'unary', deadlineMs = 20_000 } = call;
  const client = new Client(
    `${addressOf(cluster)}:${ca === undefined ? 80 : 443}`,
    ca === undefined ? credentials.createInsecure() : credentials.createSsl(Buffer.from(ca)),
    {
      'grpc.default_authority': host,
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      ...(ca === undefined ? {} : { 'grpc.ssl_target_name_override': host }),
    },
  );
  const sent = new Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  const options = { deadline: Date.now() + deadlineMs };
  try {
    return await new Promise<NativeAnswer>((resolve) => {
      let head = new Metadata();
      let messages = 0;
      const end = ({
        code,
        details,
        metadata: trailers,
      }: Pick<StatusObject, 'code' | 'details' | 'metadata'>) => {
        const text = (name: string) => String(head.get(name)[0] ?? trailers.get(name)[0] ?? '');
        const seen = JSON.parse(text('x-metadata') || '{}') as Record<string, string>;
        resolve({ code, details, messages, servedBy: text('x-served-by'), seen });
      };
      const made =
        kind === 'unary'
          ? client.makeUnaryRequest(
              path,
              same,
              same,
              Buffer.alloc(0),
              sent,
              options,
              (error: ServiceError | null) => {
                messages = error === null ? 1 : 0;
              },
            )
          : client
              .makeServerStreamRequest(path, same, same, Buffer.alloc(0), sent, options)
              .on('data', () => messages++)
              // The status tells.
              .on('error', () => undefined);
      made.on('metadata', (answer: Metadata) => (head = answer));
      // After the callback of a unary call.
      made.on('status', (status: StatusObject) => setImmediate(end, status));
    });
  } finally {
    client.close();
  }
}

/** Awaits a code: configuration takes some seconds to reach the gateways, and each of their threads. */
export function nativeUntil(
  cluster: string,
  call: NativeCall,
  code: number,
  count = 1,
): Promise<NativeAnswer> {
  const what = `${call.path} of ${call.host ?? 'any host'} in ${cluster} to end with ${code}`;
  return waitFor({ what, timeoutMs: 90_000 }, async () => {
    const answers = await Promise.all(Array.from({ length: count }, () => callNative(cluster, call)));
    const other = answers.find((answer) => answer.code !== code);
    return other === undefined
      ? { done: true, value: answers[0]! }
      : { done: false, because: `${other.code} ${other.details.slice(0, 100)}` };
  });
}

/**
 * A request over HTTP/2 in plaintext with these headers, and what it got: for what no client of gRPC would send.
 * @param url - such as `http://127.0.0.1:8080`
 */
export async function rawCall(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, unknown>>> {
  const session = connect(url);
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const call = session.request({
        ...{ ':method': 'POST', ':authority': 'anything.example', te: 'trailers' },
        ...headers,
      });
      const got: Record<string, unknown> = {};
      call.setTimeout(20_000, () => call.destroy(new Error(`no answer of ${url} within 20 s`)));
      call.on('error', reject);
      call.on('response', (head: object) => Object.assign(got, head));
      call.on('trailers', (trailers: object) => Object.assign(got, trailers));
      call.on('close', () => {
        resolve(got);
      });
      call.resume();
      call.end(Buffer.alloc(5));
    });
  } finally {
    session.destroy();
  }
}
