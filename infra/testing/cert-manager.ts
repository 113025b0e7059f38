import type { KubeApi } from './kube-api.ts';
import type { MadeCertificate } from './certificates.ts';

const certificates = '/apis/cert-manager.io/v1/namespaces/istio-system/certificates';

/** Serves cert-manager's kinds, with nobody who acts on them. */
export function installCertManager(api: KubeApi): void {
  api.kinds = {
    ...api.kinds,
    'cert-manager.io/v1': [
      ['Certificate', true],
      ['Issuer', true],
      ['ClusterIssuer', false],
    ],
  };
}

/** Stores a ClusterIssuer as cert-manager's controller leaves it. */
export function putClusterIssuer(api: KubeApi, name: string, status: 'True' | 'False' = 'True'): void {
  api.put({
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name },
    status: {
      conditions: [
        {
          type: 'Ready',
          status,
          message: status === 'True' ? 'Signing CA verified' : 'secret "root" not found',
        },
      ],
    },
  });
}

/** Stores what cert-manager makes of the Certificate `cacerts`: the Secret, and annotations that say whose it is. */
export function putIssued(
  api: KubeApi,
  ca: Pick<MadeCertificate, 'certificate' | 'key'>,
  root: string,
  issuer = 'mesh-ca',
  labels: Readonly<Record<string, string>> = {},
): void {
  const files = { 'tls.crt': ca.certificate, 'tls.key': ca.key, 'ca.crt': root };
  api.put({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name: 'cacerts',
      namespace: 'istio-system',
      labels,
      annotations: {
        'cert-manager.io/certificate-name': 'cacerts',
        'cert-manager.io/issuer-name': issuer,
        'cert-manager.io/issuer-kind': 'ClusterIssuer',
        'cert-manager.io/issuer-group': 'cert-manager.io',
      },
    },
    data: Object.fromEntries(
      Object.entries(files).map(([name, content]) => [name, Buffer.from(content).toString('base64')]),
    ),
  });
}

/** Plays cert-manager with a CA issuer: the Certificate `cacerts` is ready when it is looked at, and its Secret there. */
export function playCertManager(api: KubeApi, ca: MadeCertificate, root: string): void {
  installCertManager(api);
  putClusterIssuer(api, 'mesh-ca');
  const before = api.intervene;
  api.intervene = (request) => {
    const live = api.objects.get(request.path);
    if (live?.['kind'] === 'ClusterIssuer') return { status: 200, body: live };
    if (request.method !== 'GET' || request.path !== `${certificates}/cacerts` || live === undefined)
      return before(request);
    const { labels } = (live['spec'] as { secretTemplate: { labels: Record<string, string> } })
      .secretTemplate;
    if (!api.objects.has('/api/v1/namespaces/istio-system/secrets/cacerts'))
      putIssued(api, ca, root, 'mesh-ca', labels);
    return { status: 200, body: { ...live, status: { conditions: [{ type: 'Ready', status: 'True' }] } } };
  };
}
