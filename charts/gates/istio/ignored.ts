import { nearest } from '../../../core/names.ts';
import type { Problem } from '../../../core/problem.ts';
import { field, list, ofKind, text, title } from '../../model/rendered.ts';
import type { RenderedCluster, RenderedMesh, RenderedObject } from '../../model/rendered.ts';

/** Providers that every mesh has (Istio's default MeshConfig). */
const providersOfAll = ['prometheus', 'stackdriver', 'envoy'];

/** Fields that Istio ignores or has deprecated, and Telemetries without a provider of the mesh. */
export function ignored({ clusters, istio }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [
    ...ofKind(cluster, 'VirtualService').flatMap(delays),
    ...ofKind(cluster, 'Sidecar').flatMap(({ where, object }): readonly Problem[] => {
      const received = field(object, 'spec', 'outboundTrafficPolicy', 'egressProxy');
      if (received === undefined) return [];
      const what = `${title(object)}: spec.outboundTrafficPolicy.egressProxy is ignored by Istio`;
      return [{ where, what, received, fix: 'remove it' }];
    }),
    // Which providers an Istio of others has is nothing that the declaration says.
    ...(istio === undefined
      ? ofKind(cluster, 'Telemetry').flatMap((telemetry) => providers(cluster, telemetry))
      : []),
  ]);
}

function delays({ where, object }: RenderedObject): readonly Problem[] {
  return list(object, 'spec', 'http').flatMap((route, index): readonly Problem[] => {
    const received = field(route, 'fault', 'delay', 'percent');
    if (received === undefined) return [];
    const what = `${title(object)}: spec.http.${index}.fault.delay.percent is deprecated`;
    return [{ where, what, received, fix: 'use percentage: { value: NUMBER }' }];
  });
}

/** What a Telemetry says about logs and traces goes to its providers, or else to those that the mesh has by default. */
function providers(cluster: RenderedCluster, { where, object }: RenderedObject): readonly Problem[] {
  const meshes = ofKind(cluster, 'IstioOperator').map((release) =>
    field(release.object, 'spec', 'meshConfig'),
  );
  const known = [
    ...providersOfAll,
    ...meshes.flatMap((mesh) => list(mesh, 'extensionProviders').map((one) => text(one, 'name') ?? '')),
  ];
  return (['accessLogging', 'tracing', 'metrics'] as const).flatMap((kind) =>
    list(object, 'spec', kind).flatMap((entry, index): readonly Problem[] => {
      const at = `${title(object)}: spec.${kind}[${index}]`;
      const unknown = list(entry, 'providers').flatMap((provider, part): readonly Problem[] => {
        const received = text(provider, 'name') ?? '';
        if (known.includes(received)) return [];
        const near = nearest(received, known);
        const fix = near === undefined ? {} : { fix: `did you mean ${near}?` };
        const what = `${at}.providers[${part}] is not a provider of the mesh`;
        return [{ where, what, received, allowed: known.join(', '), ...fix }];
      });
      return [...unknown, ...(isLost(object, entry, kind, meshes) ? [lost(where, at, known)] : [])];
    }),
  );
}

/** Whether an entry of the whole mesh says nothing to anybody: no provider, and none by default. */
function isLost(
  object: RenderedObject['object'],
  entry: unknown,
  kind: string,
  meshes: readonly unknown[],
): boolean {
  // Narrower ones take theirs from the mesh's.
  if (kind === 'metrics' || object.metadata.namespace !== 'istio-system') return false;
  if (field(object, 'spec', 'selector') !== undefined || list(entry, 'providers').length > 0) return false;
  if (field(entry, 'disabled') === true || field(entry, 'disableSpanReporting') === true) return false;
  return !meshes.some((mesh) => list(mesh, 'defaultProviders', kind).length > 0);
}

function lost(where: string, at: string, known: readonly string[]): Problem {
  const what = `${at} has no effect: it names no provider, and the mesh has no default provider`;
  return { where, what, allowed: known.join(', '), fix: 'name one in providers' };
}
