import { X509Certificate } from 'node:crypto';
import { kubectl } from '../checkout/lab.ts';
import { caller } from './load-mesh.ts';

interface Secret {
  readonly name: string;
  readonly tls_certificate?: { readonly certificate_chain: { readonly inline_bytes: string } };
  readonly validation_context?: { readonly trusted_ca: { readonly inline_bytes: string } };
}

/**
 * What `istioctl proxy-config secret` would show of the pods that call: asked of Envoy by kubectl, not by our own code.
 * @param name - `default`, its own certificate with those that issued it, or `ROOTCA`, what it trusts
 */
export function heldCertificates(cluster: string, name: 'default' | 'ROOTCA'): readonly X509Certificate[] {
  const dump = kubectl(
    cluster,
    ...['-n', caller.namespace, 'exec', `deployment/${caller.name}`, '-c', 'istio-proxy', '--'],
    ...['pilot-agent', 'request', 'GET', 'config_dump?resource=dynamic_active_secrets'],
  );
  const { configs } = JSON.parse(dump) as { readonly configs: readonly { readonly secret: Secret }[] };
  const secret = configs.find((one) => one.secret.name === name)!.secret;
  const { inline_bytes: bytes } =
    secret.tls_certificate?.certificate_chain ?? secret.validation_context!.trusted_ca;
  const pem = Buffer.from(bytes, 'base64').toString('utf8');
  return pem
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)!
    .map((one) => new X509Certificate(one));
}
