import { status } from '@grpc/grpc-js';
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../../gen/grpc/health/v1/health_pb.js';
import { Changes } from './changes.ts';
import { implement } from '../handlers.ts';
import type { Implementation } from '../handlers.ts';
import { statusError } from '../status.ts';

/** Whether a server accepts calls, as reported by the health protocol. */
export interface HealthState {
  /** The grpc.health.v1 service over this state. */
  readonly implementation: Implementation;
  /** Reports NOT_SERVING from now on, for the server and each service. */
  stopServing(): void;
}

/**
 * Health of a server; it reports SERVING until {@link HealthState.stopServing} is called.
 * Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 * @param services - fully qualified names; the empty name, the server as a whole, is always known
 */
export function createHealth(services: readonly string[]): HealthState {
  const known = new Set(['', ...services]);
  const changes = new Changes<'status', ServingStatus>();
  let current = ServingStatus.SERVING;
  return {
    implementation: implement(Health, {
      check: (request) => {
        if (known.has(request.service)) return { status: current };
        throw statusError(status.NOT_FOUND, `service: ${JSON.stringify(request.service)} is not served here`);
      },
      watch: async function* (request, context) {
        const later = changes.subscribe(context.signal, () => known.has(request.service));
        yield { status: known.has(request.service) ? current : ServingStatus.SERVICE_UNKNOWN };
        for await (const changed of later) yield { status: changed };
      },
    }),
    stopServing: () => {
      current = ServingStatus.NOT_SERVING;
      changes.publish('status', current);
    },
  };
}
