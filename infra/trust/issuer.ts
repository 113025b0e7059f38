import { labelManaged, managedLabels } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { IssuerReference } from '../plan/stack-config.ts';

/** The API that cert-manager serves; its own issuers are of the same group. */
export const certManager = { group: 'cert-manager.io', version: 'cert-manager.io/v1' } as const;

/** A year; asked for anew 90 days before its end. */
const duration = '8760h';
const renewBefore = '2160h';

/** `ClusterIssuer mesh-ca`, and with its group where that is not cert-manager's own. */
export function describeIssuer({ name, kind, group }: IssuerReference): string {
  return `${kind}${group === certManager.group ? '' : `.${group}`} ${name}`;
}

/**
 * The plan for a mesh whose CAs an issuer of cert-manager signs: a Certificate in each control plane's namespace, with
 * the namespaces, in place of the Secret `cacerts` that the drivers would make; so its CA is there before its istiod. Nothing
 * is said of trust anchors: every istiod sends those of its own `cacerts`, and the root stays.
 */
export function withIssuer(plan: Plan, issuer: IssuerReference | undefined): Plan {
  if (issuer === undefined) return plan;
  const steps = plan.steps.map((step): PlanStep => {
    const secrets = step.secrets.filter(({ kind }) => kind === 'remote-secret');
    if (step.stage !== '00-namespaces') return { ...step, secrets };
    return { ...step, secrets, objects: [...step.objects, caCertificate(plan, issuer)] };
  });
  return { ...plan, issuer, steps };
}

/**
 * The Certificate (cert-manager.io/v1) of a cluster's intermediate CA. The Secret that cert-manager makes of it has `tls.crt`,
 * `tls.key` and `ca.crt`, which istiod reads as well as its own names (`detectSigningCABundleAndCRL` in
 * pilot/pkg/bootstrap/istio_ca.go). How many CAs may follow is for the issuer to say: a Certificate has no field for it.
 */
export function caCertificate(
  { mesh, controlPlaneNamespace }: Pick<Plan, 'mesh' | 'controlPlaneNamespace'>,
  issuer: IssuerReference,
): KubeObject {
  return labelManaged(
    {
      ...certificateKey(controlPlaneNamespace),
      spec: {
        secretName: 'cacerts',
        // As ours, so that it goes with the mesh.
        secretTemplate: { labels: managedLabels(mesh) },
        isCA: true,
        commonName: 'Intermediate CA',
        subject: { organizations: ['Istio'] },
        dnsNames: [`istiod.${controlPlaneNamespace}.svc`],
        duration,
        renewBefore,
        privateKey: { algorithm: 'ECDSA', size: 256, encoding: 'PKCS8', rotationPolicy: 'Always' },
        usages: ['cert sign', 'crl sign'],
        issuerRef: { name: issuer.name, kind: issuer.kind, group: issuer.group },
      },
    },
    mesh,
  );
}

/** Whether an object of a plan asks cert-manager for a cluster's CA. */
export function isCaCertificate({ apiVersion, kind, metadata }: KubeObject): boolean {
  return apiVersion === certManager.version && kind === 'Certificate' && metadata.name === 'cacerts';
}

/** What finds the Certificate of a cluster's CA. */
export function certificateKey(namespace: string): KubeObject {
  return { apiVersion: certManager.version, kind: 'Certificate', metadata: { name: 'cacerts', namespace } };
}
