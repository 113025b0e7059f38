import type { Problem } from '../../core/problem.ts';
import { claimedHeaders } from './claims.ts';
import { conflicts } from './conflicts.ts';
import { envHosts } from './env-hosts.ts';
import { missingExports } from './exports.ts';
import { loosened } from './declared/loosened.ts';
import { rightsGiven } from './declared/rights.ts';
import { taken } from './declared/taken.ts';
import { callers } from './istio/callers.ts';
import { outside } from './istio/external.ts';
import { gatewayServers } from './istio/gateways.ts';
import { ignored } from './istio/ignored.ts';
import { ingressRoutes } from './istio/ingress-routes.ts';
import { injected } from './istio/injection.ts';
import { installersOwn } from './istio/installed.ts';
import { istioNames } from './istio/names.ts';
import { othersAlone } from './istio/others-alone.ts';
import { patches } from './istio/patches.ts';
import { podNames } from './istio/pod-names.ts';
import { shadowed } from './istio/shadowed.ts';
import { sharedPods } from './istio/shared-pods.ts';
import { tcpPolicies } from './istio/tcp-policies.ts';
import { forbidden } from './forbidden.ts';
import { headless } from './headless.ts';
import { unknownHosts } from './hosts.ts';
import { undeclaredNamespaces } from './namespaces.ts';
import { protocols } from './protocols.ts';
import type { RenderedMesh } from '../model/rendered.ts';
import { deadRoutes } from './routes.ts';
import { schemaProblems } from './schemas.ts';
import { podSecurity } from './pod-security.ts';
import { containerLists } from './pods/container-lists.ts';
import { plainSecrets } from './secrets.ts';
import { selections } from './selectors.ts';
import { symmetry } from './symmetry.ts';
import { unreadTokens } from './token-readers.ts';
import { waits } from './waits.ts';

/** Checks the rendered objects of all clusters, whoever rendered them, and returns what is wrong. */
type Gate = (mesh: RenderedMesh) => readonly Problem[];

/** The checks that every mesh has to pass; docs/constructs.md, "What synth refuses", describes each. */
export const gates: readonly Gate[] = [
  schemaProblems,
  symmetry,
  unknownHosts,
  missingExports,
  deadRoutes,
  conflicts,
  shadowed,
  unreadTokens,
  claimedHeaders,
  protocols,
  headless,
  envHosts,
  podNames,
  plainSecrets,
  undeclaredNamespaces,
  selections,
  istioNames,
  injected,
  installersOwn,
  gatewayServers,
  ingressRoutes,
  sharedPods,
  outside,
  callers,
  tcpPolicies,
  patches,
  ignored,
  othersAlone,
  forbidden,
  taken,
  loosened,
  rightsGiven,
  podSecurity,
  containerLists,
  waits,
];
