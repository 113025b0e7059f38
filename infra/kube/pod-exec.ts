import { Exec } from '@kubernetes/client-node';
import { Writable } from 'node:stream';
import { ProblemsError } from '../../core/problem.ts';
import type { KubeClient } from './kube-client.ts';

/** A container of a running pod. */
export interface Container {
  readonly namespace: string;
  readonly pod: string;
  readonly name: string;
}

/** The part of the client's WebSocket that is used here; its types are in another package. */
interface Socket {
  readonly close: () => void;
  onclose: unknown;
}

const timeoutMs = 20_000;

/**
 * Runs a command in a container through the API server, and returns its standard output.
 * @throws ProblemsError (exit 1) when it does not start, fails, or does not end in time.
 */
export async function execInPod(
  client: KubeClient,
  { namespace, pod, name }: Container,
  command: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const failed = (why: string) =>
    new ProblemsError(
      [{ where: `${client.cluster}: Pod ${namespace}/${pod}`, what: `\`${command.join(' ')}\`: ${why}` }],
      1,
    );
  const out = collect();
  const errors = collect();
  const limit = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
  const ended = new AbortController();
  try {
    return await new Promise<string>((resolve, reject) => {
      limit.addEventListener('abort', () => {
        reject(failed(`no answer within ${timeoutMs / 1000} s`));
      });
      new Exec(client.config)
        .exec(namespace, pod, name, [...command], out.stream, errors.stream, null, false, (status) => {
          if (status.status === 'Success') resolve(out.text());
          else reject(failed(errors.text().trim() || (status.message ?? 'failed')));
        })
        .then(
          (socket: Socket) => {
            const close = () => {
              socket.close();
            };
            if (ended.signal.aborted) close();
            ended.signal.addEventListener('abort', close);
            socket.onclose = () => {
              reject(failed('the connection was lost'));
            };
          },
          (error: unknown) => {
            reject(failed(error instanceof Error ? error.message : 'the API server refused it'));
          },
        );
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
  }
}

function collect(): { readonly stream: Writable; readonly text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString('utf8') };
}
