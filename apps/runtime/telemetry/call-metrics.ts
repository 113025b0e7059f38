import { status } from '@grpc/grpc-js';
import { durationBoundaries } from './metrics.ts';
import type { Meter } from './metrics.ts';
import type { Interceptor } from '../server/interceptors.ts';

/**
 * Measures each call by method and status, and counts those in flight by method.
 * Source: OpenTelemetry's semantic conventions for RPC metrics.
 */
export function measureCalls(meter: Meter): Interceptor {
  const duration = meter.createHistogram('rpc_server_call_duration_seconds', {
    description: 'Duration of a call from its headers to its status, including streams',
    unit: 's',
    advice: { explicitBucketBoundaries: durationBoundaries },
  });
  const open: { readonly attributes: Readonly<Record<string, string>>; calls: number }[] = [];
  meter
    .createObservableGauge('rpc_server_active_calls', { description: 'Calls in flight, including streams' })
    .addCallback((result) => {
      for (const { calls, attributes } of open) result.observe(calls, attributes);
    });
  return ({ parent, name }) => {
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': `${parent.typeName}/${name}` };
    const inFlight = { attributes, calls: 0 };
    open.push(inFlight);
    return () => {
      const started = performance.now();
      inFlight.calls++;
      return {
        end: ({ code }) => {
          inFlight.calls--;
          const seconds = (performance.now() - started) / 1_000;
          duration.record(seconds, { ...attributes, 'rpc.status_code': status[code] });
        },
      };
    };
  };
}
