import { randomUUID } from 'node:crypto';
import { waitFor, type Look } from '../../../core/wait.ts';
import { spansIn } from './collector.ts';
import type { Span } from './collector.ts';
import { kubectl } from '../checkout/lab.ts';

const clusters = ['east', 'west'] as const;

/** A line of an access log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Access log lines of a workload's proxies. */
export function accessLog(cluster: string, namespace: string, workload: string): readonly LogLine[] {
  const pod = ['-l', `app.kubernetes.io/name=${workload}`, '-c', 'istio-proxy', '--tail=2000'];
  // A pod that is ending may have no log any more, which is no reason to get none of the others.
  const lines = kubectl(cluster, '-n', namespace, 'logs', ...pod, '--ignore-errors').split('\n');
  return lines.filter((line) => line.startsWith('{"')).map((line) => JSON.parse(line) as LogLine);
}

/** Awaits a line that has these fields: a proxy writes its log with a delay. */
export function logLine(
  cluster: string,
  namespace: string,
  workload: string,
  fields: LogLine,
): Promise<LogLine> {
  const what = `a line with ${JSON.stringify(fields)} in the log of ${workload} in ${cluster}`;
  return waitFor({ what, timeoutMs: 60_000, intervalMs: 1_000 }, (): Look<LogLine> => {
    const lines = accessLog(cluster, namespace, workload);
    const line = lines.find((candidate) =>
      Object.entries(fields).every(([name, value]) => candidate[name] === value),
    );
    return line === undefined
      ? { done: false, because: `none of ${lines.length}` }
      : { done: true, value: line };
  });
}

/** A request, the trace it is of, and the spans of that. */
export interface Traced {
  readonly agent: string;
  readonly trace: string;
  readonly spans: readonly Span[];
}

/**
 * Sends requests, each with a User-Agent of its own, until one is traced by all these proxies (`cluster name`), as many times
 * as each stands there: a proxy that takes a call and makes two others has three spans. A connection that was open when the mesh
 * changed stays with the listener it has, untraced, while that drains.
 * @param send - whether the request was answered as it should be: one that comes before the configuration is not counted
 */
export function traced(
  proxies: readonly string[],
  send: (agent: string) => Promise<boolean>,
): Promise<Traced> {
  const wait = { what: `a request traced by ${proxies.join(', ')}`, timeoutMs: 90_000, intervalMs: 3_000 };
  const sent: string[] = [];
  return waitFor(wait, async (): Promise<Look<Traced>> => {
    const fresh = `agent-${randomUUID()}`;
    if (!(await send(fresh))) return { done: false, because: 'another answer than expected' };
    sent.push(fresh);
    const all = clusters.flatMap((cluster) => spansIn(cluster).map((span) => ({ ...span, cluster })));
    let because = 'no span';
    for (const agent of sent) {
      const trace = all.find(({ attributes }) => attributes['user_agent'] === agent)?.trace;
      if (trace === undefined) continue;
      const spans = all.filter((span) => span.trace === trace);
      const by = spans.map(({ cluster, service }) => `${cluster} ${service}`).sort();
      const times = (list: readonly string[], proxy: string) => list.filter((one) => one === proxy).length;
      if (proxies.every((proxy) => times(by, proxy) >= times(proxies, proxy)))
        return { done: true, value: { agent, trace, spans } };
      because = `traced by ${by.join(', ')}`;
    }
    return { done: false, because };
  });
}
