import type { Problem } from '../../core/problem.ts';
import type { ExistingIstioModel } from '../../charts/model/mesh-model.ts';
import { field, list, text } from '../kube/kube-object.ts';
import type { FoundIstio } from './found-istio.ts';

/** Mesh-wide settings that differ: what keeps the mesh from its promises, and what only makes it less than with an Istio of its own. */
export interface MeshConfigFindings {
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** From the weakest on; Istio's DEFAULT is BASE. Source: `MeshConfig.ProxyPathNormalization.NormalizationType`. */
const normalizations = ['NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES'];
const wanted = 'MERGE_SLASHES';

/** Compares what only mesh configuration can give with what the mesh needs of it. */
export function meshConfigFindings(istio: FoundIstio, existing: ExistingIstioModel): MeshConfigFindings {
  const { needs } = existing;
  const paths = needs.includes('pathNormalization') ? pathFindings(istio, existing) : none;
  const warnings = [
    ...(needs.includes('accessLog') ? accessLogWarnings(istio) : []),
    ...(needs.includes('tracing') ? tracingWarnings(istio) : []),
  ];
  return {
    problems: [...autoMtlsProblems(istio), ...paths.problems],
    warnings: [...paths.warnings, ...warnings],
  };
}

function autoMtlsProblems({ client: { cluster }, meshConfig }: FoundIstio): readonly Problem[] {
  if (field(meshConfig, 'enableAutoMtls') !== false) return [];
  return [
    {
      where: `${cluster}: Istio`,
      what: 'has proxies call in plaintext where no rule says otherwise: pods of the mesh take mutual TLS alone, and every call would fail',
      received: 'meshConfig.enableAutoMtls: false',
      allowed: 'true, which is its default',
      fix: 'have its owners take enableAutoMtls out of meshConfig',
    },
  ];
}

const none: MeshConfigFindings = { problems: [], warnings: [] };

function pathFindings(
  { client: { cluster }, meshConfig }: FoundIstio,
  existing: ExistingIstioModel,
): MeshConfigFindings {
  const said = text(meshConfig, 'pathNormalization', 'normalization');
  const theirs = said === undefined || said === 'DEFAULT' ? 'BASE' : said;
  if (normalizations.indexOf(theirs) >= normalizations.indexOf(wanted)) return none;
  const consequence =
    'a path with // is another one for the policies of edges than for the services behind them';
  const fix = `have its owners set meshConfig.pathNormalization.normalization: ${wanted}`;
  if (existing.ingress === undefined)
    return {
      problems: [],
      warnings: [`cluster ${cluster}: Istio normalizes paths by ${theirs} only: ${consequence}; ${fix}`],
    };
  return {
    problems: [
      {
        where: `${cluster}: Istio`,
        what: `normalizes paths less than edges at gateways of others need: ${consequence}`,
        received: theirs,
        allowed: normalizations.slice(normalizations.indexOf(wanted)).join(', '),
        fix,
      },
    ],
    warnings: [],
  };
}

function providerOf({ meshConfig }: FoundIstio, name: string): unknown {
  return list(meshConfig, 'extensionProviders').find((provider) => text(provider, 'name') === name);
}

/** Istio brings a provider `envoy`, which writes to the standard output, unless the mesh configuration has another one of its name. */
function accessLogWarnings(istio: FoundIstio): readonly string[] {
  const { cluster } = istio.client;
  const provider = providerOf(istio, 'envoy');
  const path = text(provider, 'envoyFileAccessLog', 'path');
  if (provider !== undefined && path !== '/dev/stdout')
    return [
      `cluster ${cluster}: Istio's log provider envoy does not write to /dev/stdout: refused calls do not show in the logs of the proxies`,
    ];
  if (text(istio.meshConfig, 'accessLogEncoding') === 'JSON') return [];
  return [
    `cluster ${cluster}: Istio writes access logs as TEXT, in a format of its owners (meshConfig.accessLogEncoding): log queries that read JSON find nothing`,
  ];
}

function tracingWarnings(istio: FoundIstio): readonly string[] {
  if (providerOf(istio, 'otel-collector') !== undefined) return [];
  return [
    `cluster ${istio.client.cluster}: Istio has no provider otel-collector in meshConfig.extensionProviders: proxies send no spans`,
  ];
}
