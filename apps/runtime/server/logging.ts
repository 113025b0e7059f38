import { status } from '@grpc/grpc-js';
import type { Interceptor } from './interceptors.ts';
import type { Logger } from '../log.ts';

/** Logs each call at level debug, and unexpected errors of handlers at level error. */
export function logCalls(log: Logger): Interceptor {
  return ({ parent, name }) => {
    const method = `${parent.typeName}/${name}`;
    return (context) => {
      const started = performance.now();
      return {
        end: ({ code, error }) => {
          if (code === status.INTERNAL) context.log.error({ err: error, method }, 'call failed');
          if (!log.isLevelEnabled('debug')) return;
          const ms = Math.round(performance.now() - started);
          context.log.debug({ method, code: status[code], ms }, 'call');
        },
      };
    };
  };
}
