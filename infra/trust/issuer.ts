import { ProblemsError } from '../../core/problem.ts';
import { labelManaged, managedLabels } from '../kube/kube-object.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import type { Plan, PlanStep } from '../plan/plan.ts';
import type { IssuerReference } from '../plan/stack-config.ts';

/** The API that cert-manager serves; its own issuers belong to the same group. */
export const certManager = { group: 'cert-manager.io', version: 'cert-manager.io/v1' } as const;

/** One year; renewed 90 days before its end. */
const duration = '8760h';
const renewBefore = '2160h';

/** `ClusterIssuer mesh-ca`; with its group when that is not cert-manager's own. */
export function describeIssuer({ name, kind, group }: IssuerReference): string {
  return `${kind}${group === certManager.group ? '' : `.${group}`} ${name}`;
}

/**
 * The plan for a mesh whose CAs an issuer of cert-manager signs. A Certificate in each control plane's namespace, in the
 * stage of the namespaces, replaces the Secret `cacerts` that the drivers would create, so the CA exists before istiod. The
 * plan has no trust anchors: every istiod sends those of its own `cacerts`, and the root stays.
 * @throws ProblemsError (exit 2) on an Istio of others.
 */
export function withIssuer(plan: Plan, issuer: IssuerReference | undefined): Plan {
  if (issuer === undefined) return plan;
  if (plan.existing !== undefined) {
    throw new ProblemsError([
      {
        where: 'trust.issuer',
        what: 'has no effect on an Istio of others, whose CAs its owners choose',
        received: describeIssuer(issuer),
        fix: 'leave it out of the stack file',
      },
    ]);
  }
  const steps = plan.steps.map((step): PlanStep => {
    const secrets = step.secrets.filter(({ kind }) => kind === 'remote-secret');
    if (step.stage !== '00-namespaces') return { ...step, secrets };
    return { ...step, secrets, objects: [...step.objects, caCertificate(plan, issuer)] };
  });
  return { ...plan, issuer, steps };
}

/**
 * The Certificate (cert-manager.io/v1) of a cluster's intermediate CA. The Secret that cert-manager creates from it has `tls.crt`,
 * `tls.key` and `ca.crt`, which istiod reads as well as its own names (`detectSigningCABundleAndCRL` in
 * pilot/pkg/bootstrap/istio_ca.go). The issuer decides the path length: a Certificate has no field for it.
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
        // With the mesh's labels, so that it is deleted with the mesh.
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

/** Whether an object of a plan is the Certificate that requests a cluster's CA from cert-manager. */
export function isCaCertificate({ apiVersion, kind, metadata }: KubeObject): boolean {
  return apiVersion === certManager.version && kind === 'Certificate' && metadata.name === 'cacerts';
}

/** Identifies the Certificate of a cluster's CA. */
export function certificateKey(namespace: string): KubeObject {
  return { apiVersion: certManager.version, kind: 'Certificate', metadata: { name: 'cacerts', namespace } };
}
