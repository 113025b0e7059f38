import type { IstioSpec } from '../../model/istio-models.ts';
import type { ExternalPort } from './external-port.ts';
import type { ExternalTls } from './external-props.ts';

type TrafficPolicy = NonNullable<IstioSpec<'DestinationRule'>['trafficPolicy']>;
type PortSetting = NonNullable<TrafficPolicy['portLevelSettings']>[number];

/** Folder of a proxy that holds the Secrets of what its workload calls, one folder each. */
const folder = '/etc/external-tls';
const pathOf = (secret: string, key: string) => `${folder}/${secret}/${key}`;

/**
 * How proxies encrypt calls to a host outside the mesh, port by port; nothing where they encrypt none
 * (https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings).
 *
 * SNI and the name in the certificate are both written. Left out, Envoy takes them from the `Host` of each request (`auto_sni`,
 * `auto_san_validation`), which TCP does not have: it would then accept every server that some known CA vouches for. `system` is written for the
 * public CAs: without any, versions of Istio before 1.20 check nothing. Certificates are files of the proxy: `credentialName` would need
 * leave for the caller's account to list all Secrets of its namespace (`pilot/pkg/credentials/kube/secrets.go` in Istio's sources), and is passed
 * over, with TLS as a whole, by sidecars that no `workloadSelector` names (`pilot/pkg/networking/core/cluster_tls.go`).
 */
export function tlsSettings(host: string, ports: readonly ExternalPort[]): readonly PortSetting[] {
  return ports.flatMap(({ props }): readonly PortSetting[] => {
    if (props.tls === undefined) return [];
    const { serverName = host, ca, client } = props.tls;
    return [
      {
        port: { number: props.port },
        tls: {
          mode: client === undefined ? 'SIMPLE' : 'MUTUAL',
          sni: serverName,
          subjectAltNames: [serverName],
          caCertificates: ca === undefined ? 'system' : pathOf(ca.secret, ca.key ?? 'ca.crt'),
          ...(client === undefined
            ? {}
            : {
                clientCertificate: pathOf(client.secret, 'tls.crt'),
                privateKey: pathOf(client.secret, 'tls.key'),
              }),
        },
      },
    ];
  });
}

/**
 * Annotations of a caller's pods by which its proxy, and no other container, gets the Secrets that its calls outside the mesh need
 * (https://istio.io/latest/docs/reference/config/annotations/#SidecarUserVolume). None where they need none.
 */
export function proxySecrets(ports: readonly ExternalPort[]): Readonly<Record<string, string>> {
  const secrets = [...new Set(ports.flatMap(({ props }) => secretsOf(props.tls)))].sort();
  if (secrets.length === 0) return {};
  const volumes = secrets.map((secretName, index) => [`external-tls-${index}`, secretName] as const);
  return {
    'sidecar.istio.io/userVolume': JSON.stringify(
      Object.fromEntries(volumes.map(([name, secretName]) => [name, { secret: { secretName } }])),
    ),
    'sidecar.istio.io/userVolumeMount': JSON.stringify(
      Object.fromEntries(
        volumes.map(([name, secret]) => [name, { mountPath: `${folder}/${secret}`, readOnly: true }]),
      ),
    ),
  };
}

function secretsOf({ ca, client }: ExternalTls = {}): readonly string[] {
  return [ca, client].flatMap((one) => (one === undefined ? [] : [one.secret]));
}
