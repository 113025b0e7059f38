import type { AppConfig, EnvValue } from '../../../apps/config/app-config.ts';
import { gatewayTimes, type GatewayTime } from '../../../apps/config/gateway-times.ts';
import type { Problem } from '../../../core/problem.ts';

const times: readonly (readonly [string, GatewayTime])[] = Object.entries(gatewayTimes);

/**
 * The longest that an HTTP gateway lets a request stand still, by the `env` of its config.yml: a stream without activity, or a
 * unary call that waits for its answer. Milliseconds. A value that is known only in the cluster counts as the largest that the
 * gateway accepts, as does a wrong one, which {@link waitProblems} reports.
 */
export function longestWaitMs(env: AppConfig['env']): number {
  return Math.max(...times.map(([name, time]) => waitMs(env[name], time)));
}

/** Values of these variables that the gateway would refuse when it starts. They are not shown, as no value of `env` is. */
export function waitProblems(where: string, app: string, env: AppConfig['env']): readonly Problem[] {
  return times.flatMap(([name, { least, most }]): Problem[] => {
    const text = textOf(env[name]);
    if (text === undefined || isWithin(text, { least, most })) return [];
    const what = `${app}/config.yml has a wrong value for env.${name}`;
    return [{ where: `${where}: app`, what, allowed: `a whole number from ${least} to ${most}, in quotes` }];
  });
}

function waitMs(declared: EnvValue | undefined, time: GatewayTime): number {
  if (declared === undefined) return time.usual;
  const text = textOf(declared);
  return text !== undefined && isWithin(text, time) ? Number(text) : time.most;
}

/** The text of a value, if synth knows it: not of a key of a Secret or ConfigMap, nor where Kubernetes puts `$(NAME)` in. */
function textOf(declared: EnvValue | undefined): string | undefined {
  const text = typeof declared === 'object' && 'value' in declared ? declared.value : declared;
  return typeof text === 'string' && !text.includes('$(') ? text : undefined;
}

function isWithin(text: string, { least, most }: Pick<GatewayTime, 'least' | 'most'>): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) >= least && Number(text) <= most;
}
