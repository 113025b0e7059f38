import type { Problem } from '../../core/problem.ts';
import { field, list, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedMesh } from '../model/rendered.ts';

/** Protocols that Istio supports for a port (https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/). */
const known = [
  'grpc',
  'grpc-web',
  'http',
  'http2',
  'https',
  'http_proxy',
  'mongo',
  'mysql',
  'redis',
  'tcp',
  'tls',
];

/** Kubernetes' standard names that Istio accepts, in `appProtocol` only. */
const knownToKubernetes = ['kubernetes.io/h2c', 'kubernetes.io/ws', 'kubernetes.io/wss'];

/**
 * Every port must state its protocol. Istio treats any other as TCP, or guesses from the first bytes: method policy,
 * retries and metrics of calls are then lost silently.
 */
export function protocols({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [
    ...ofKind(cluster, 'Service').flatMap(({ where, object }) =>
      list(object, 'spec', 'ports').flatMap((port): readonly Problem[] => {
        const [name = '', given] = [text(port, 'name'), text(port, 'appProtocol')];
        const stated = given ?? name;
        if (text(port, 'protocol') === 'UDP' || isKnown(stated) || knownToKubernetes.includes(given ?? ''))
          return [];
        return [
          {
            where,
            what: `${title(object)}: Istio would treat port ${String(field(port, 'port'))} as TCP, because its ${given === undefined ? 'name' : 'appProtocol'} does not state a known protocol`,
            received: stated,
            allowed: known.join(', '),
            fix: 'set appProtocol (to tcp for plain TCP)',
          },
        ];
      }),
    ),
    ...[
      ...ofKind(cluster, 'ServiceEntry').flatMap((of) =>
        list(of.object, 'spec', 'ports').map((port) => ({ of, port })),
      ),
      ...ofKind(cluster, 'Gateway').flatMap((of) =>
        list(of.object, 'spec', 'servers').map((server) => ({ of, port: field(server, 'port') })),
      ),
    ].flatMap(({ of: { where, object }, port }): readonly Problem[] => {
      const received = text(port, 'protocol') ?? '';
      if (known.includes(received.toLowerCase())) return [];
      const what = `${title(object)}: Istio would treat port ${String(field(port, 'number'))} as TCP, because Istio does not know its protocol`;
      return [{ where, what, received, allowed: known.map((name) => name.toUpperCase()).join(', ') }];
    }),
  ]);
}

/** A protocol, or one followed by a hyphen and anything, in upper or lower case. */
function isKnown(stated: string): boolean {
  const lower = stated.toLowerCase();
  return lower.startsWith('grpc-web') || known.includes(lower.split('-')[0] ?? '');
}
