import { oneLine } from '../../core/one-line.ts';
import { ProblemsError } from '../../core/problem.ts';
import { KubeError } from './kube-http.ts';
import type { KubeClient } from './kube-client.ts';
import type { KubeObject } from './kube-object.ts';

const longestLine = 300;
const lineCount = 10;
const retryMs = 2_000;

/** Where a container's last words are: in the log of what runs or has just ended, or in that of the run before. */
export type LogRun = 'current' | 'previous';

/**
 * The last lines of a container's log, at most 10 of 300 characters, without control characters and empty lines. When it
 * cannot be read, one line in brackets says why: a log explains a failure and never is one.
 */
export async function lastLogLines(
  client: KubeClient,
  pod: KubeObject,
  container: string,
  run: LogRun,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { namespace = '', name } = pod.metadata;
  const query = {
    container,
    tailLines: String(lineCount),
    limitBytes: String(256 * 1024),
    ...(run === 'previous' && { previous: 'true' }),
  };
  try {
    const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(name)}/log`;
    const log = await client.request('GET', path, { query, plain: true, retryMs, ...(signal && { signal }) });
    const lines = String(log)
      .split('\n')
      .map((line) => oneLine(line, longestLine))
      .filter((line) => line !== '')
      .slice(-lineCount);
    return lines.length === 0 ? ['(it is empty)'] : lines;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof ProblemsError)) throw error;
    // The run before may be gone, or the restart not have happened yet.
    if (run === 'previous' && error instanceof KubeError && error.status === 400)
      return lastLogLines(client, pod, container, 'current', signal);
    return [
      `(it cannot be read: ${oneLine(error instanceof KubeError ? error.reason : error.message, longestLine)})`,
    ];
  }
}
