import type { Fault } from './corpus.ts';

/** What a gate has to say of an object for the same fault that a message of Istio's analyzers is about. */
interface Meaning {
  readonly gate: string;
  readonly says: RegExp;
  /** Where the gate speaks of what stands in the namespace that Istio names, or that the object is in. */
  readonly ofNamespace?: true;
}

const meaning = (gate: string, says: RegExp): readonly Meaning[] => [{ gate, says }];

const selectsNobody = meaning('selections', / selects no pod /);
const rival = meaning('selections', /Istio uses only one of them/);
const differs = meaning('symmetry', / differs between /);
const notServed = meaning(
  'deadRoutes',
  /spec\.gateways names a Gateway that (?:does not exist|serves none of its hosts)/,
);
const installers = meaning('installersOwn', /has the name of an object that Istio's installer creates/);
const unverified = meaning('forbidden', /do not present the caller's identity/);
const covered = meaning('deadRoutes', / is never reached, because /);
const ordered = meaning('patches', / depends on the order of EnvoyFilters/);
const noOperation = meaning('patches', / does not support its operation/);
const twoProtocols = meaning('sharedPods', / with a different protocol than /);
const claimed = meaning('conflicts', / claims host /);

/** By message, or by message and analyzer where the message is about all kinds of references. */
const meanings: Readonly<Record<string, readonly Meaning[] | undefined>> = {
  UnknownAnnotation: meaning('istioNames', /Istio does not know this annotation/),
  InvalidAnnotation: meaning('istioNames', /so Istio refuses the pods/),
  MisplacedAnnotation: meaning('istioNames', /has no effect on a /),
  DeprecatedAnnotation: meaning('istioNames', / is deprecated/),
  Deprecated: meaning('ignored', / is deprecated| is ignored by Istio| is not a provider of the mesh/),
  InvalidTelemetryProvider: meaning('ignored', /it names no provider/),
  InvalidExternalControlPlaneConfig: installers,
  ExternalControlPlaneAddressIsNotAHostname: installers,
  InvalidWebhook: installers,
  'ReferencedResourceNotFound gateway.IngressGatewayPortAnalyzer': selectsNobody,
  'ReferencedResourceNotFound sidecar.SelectorAnalyzer': selectsNobody,
  'ReferencedResourceNotFound telemetry.SelectorAnalyzer': selectsNobody,
  'ReferencedResourceNotFound authz.AuthorizationPoliciesAnalyzer': meaning(
    'callers',
    / that no cluster has/,
  ),
  'ReferencedResourceNotFound virtualservice.GatewayAnalyzer': notServed,
  'ReferencedResourceNotFound virtualservice.DestinationRuleAnalyzer': meaning(
    'deadRoutes',
    / leads to a subset that no DestinationRule of /,
  ),
  'ReferencedResourceNotFound virtualservice.DestinationHostAnalyzer': [
    { gate: 'unknownHosts', says: /spec\.http\.\d+\.(?:route\.\d+|mirror) resolves in no cluster/ },
    { gate: 'deadRoutes', says: / leads to a port that / },
    { gate: 'missingExports', says: /, which is not exported to namespace / },
  ],
  NoMatchingWorkloadsFound: selectsNobody,
  GatewayPortNotDefinedOnService: meaning('gatewayServers', /\.port is not a port of any Service/),
  GatewayDuplicateCertificate: meaning('gatewayServers', / uses the same certificate as /),
  ConflictingGateways: [...claimed, { gate: 'gatewayServers', says: / claims host .* also claims it/ }],
  NamespaceMultipleInjectionLabels: meaning(
    'injected',
    /has two injection labels|selects the ambient data plane/,
  ),
  PodsIstioProxyImageMismatchInNamespace: [
    { gate: 'forbidden', says: /replaces the mesh's proxy/, ofNamespace: true },
  ],
  IneffectivePolicy: [{ gate: 'injected', says: /selects the ambient data plane/, ofNamespace: true }],
  ImageAutoWithoutInjectionWarning: meaning('forbidden', /image is "auto"/),
  ImageAutoWithoutInjectionError: meaning('forbidden', /image is "auto"/),
  InvalidApplicationUID: meaning('forbidden', /runAsUser is the user id of the proxy/),
  PortNameIsNotUnderNamingConvention: meaning('protocols', / as TCP, because its name does not state/),
  ExternalNameServiceTypeInvalidPortName: meaning('outside', /names a host that the mesh does not know/),
  MultipleSidecarsWithoutWorkloadSelectors: rival,
  ConflictingSidecarWorkloadSelectors: rival,
  MultipleTelemetriesWithoutWorkloadSelectors: rival,
  ConflictingTelemetryWorkloadSelectors: rival,
  IneffectiveSelector: meaning('selections', /for which Istio ignores selectors/),
  ConflictingMeshGatewayVirtualServiceHosts: claimed,
  VirtualServiceDestinationPortSelectorRequired: meaning(
    'deadRoutes',
    /which has several ports, without naming one/,
  ),
  VirtualServiceHostNotFoundInGateway: notServed,
  ReferencedInternalGateway: notServed,
  VirtualServiceUnreachableRule: covered,
  VirtualServiceIneffectiveMatch: covered,
  IngressRouteRulesNotAffected: meaning('ingressRoutes', / apply only in sidecars/),
  JwtClaimBasedRoutingWithoutRequestAuthN: meaning(
    'unreadTokens',
    / matches a claim, but no RequestAuthentication/,
  ),
  DeploymentAssociatedToMultipleServices: twoProtocols,
  DeploymentConflictingPorts: twoProtocols,
  NoServerCertificateVerificationDestinationLevel: unverified,
  NoServerCertificateVerificationPortLevel: unverified,
  ServiceEntryAddressesRequired: [
    { gate: 'outside', says: / allows calls to port \d+ of every address/ },
    { gate: 'protocols', says: /because Istio does not know its protocol/ },
  ],
  ConflictingServiceEntryProtocol: meaning('outside', / a different protocol than /),
  UnknownDestinationRuleHost: meaning('unknownHosts', /spec\.host resolves in no cluster/),
  DestinationRuleSubsetNotSelectPods: meaning('deadRoutes', /with labels that no pod in namespace /),
  EnvoyFilterUsesRelativeOperation: ordered,
  EnvoyFilterUsesRelativeOperationWithProxyVersion: ordered,
  EnvoyFilterUsesReplaceOperationIncorrectly: noOperation,
  EnvoyFilterUsesAddOperationIncorrectly: noOperation,
  EnvoyFilterUsesRemoveOperationIncorrectly: noOperation,
  MultiClusterInconsistentService: differs,
  GatewayAPICRDVersionBelowMinimum: meaning('forbidden', /belongs to the Gateway API/),
  NegativeConditionStatus: meaning('schemaProblems', /status is written by the cluster/),
};

/** Messages and analyzers for which a gate stands, so that one that is misspelt above is known. */
export const meant: readonly string[] = Object.keys(meanings);

/** What a fault is called above. */
export function keysOf({ message, analyzer }: Fault): readonly string[] {
  return [`${message} ${analyzer}`, message];
}

/** The gate that finds a fault: that says the same of the same object. */
export function finderOf(fault: Fault): string | undefined {
  const wanted = keysOf(fault).flatMap((key) => meanings[key] ?? []);
  return fault.said.find(({ gate, problem }) =>
    wanted.some(
      (one) =>
        one.gate === gate &&
        one.says.test(problem.what) &&
        (one.ofNamespace === true ? standsIn(problem.what, fault) : names(problem.what, fault.object)),
    ),
  )?.gate;
}

/** Whether a text names an object, not one whose name only begins so. */
function names(text: string, title: string): boolean {
  const at = text.indexOf(title);
  if (at < 0) return false;
  return !/^[\w.-]*[\w-]/.test(text.slice(at + title.length)) || names(text.slice(at + 1), title);
}

function standsIn(text: string, { object }: Fault): boolean {
  const [kind, name = ''] = object.split(' ');
  const namespace = kind === 'Namespace' ? name : (name.split('/')[0] ?? '');
  return names(text, `Namespace ${namespace}`) || new RegExp(`^\\w+ ${namespace}/`).test(text);
}
