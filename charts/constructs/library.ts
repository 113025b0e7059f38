import { ExternalService } from './access/external-service.ts';
import { ControlPlane } from './control-plane/control-plane.ts';
import { ExistingDefaults } from './control-plane/existing-defaults.ts';
import { MeshDefaults } from './control-plane/mesh-defaults.ts';
import { RemoteReader } from './control-plane/remote-reader.ts';
import { HttpEdge } from './edge/http-edge.ts';
import { ExistingCaller } from './existing/existing-caller.ts';
import { ExistingService } from './existing/existing-service.ts';
import { EastWestGateway } from './gateways/east-west-gateway.ts';
import { IngressGateway } from './gateways/ingress-gateway.ts';
import { JoinedIngress } from './gateways/joined-ingress.ts';
import { CronJob } from './jobs/cron-job.ts';
import { Job } from './jobs/job.ts';
import { ServiceLimits } from './rate-limits/service-limits.ts';
import { Namespace, type MeshConstruct } from './scope/mesh-construct.ts';
import { TcpService } from './tcp/tcp-service.ts';
import { TrafficPolicy } from './traffic/traffic-policy.ts';
import { HttpService } from './web/http-service.ts';
import { GrpcService } from './workload/grpc-service.ts';
import { MutualTls } from './workload/mutual-tls.ts';

/** All that render what the mesh promises. OwnObject is not among them: what it renders is somebody's own. */
const library: readonly Rendering[] = [
  ...[ControlPlane, RemoteReader, MeshDefaults, ExistingDefaults, Namespace],
  ...[IngressGateway, JoinedIngress, EastWestGateway],
  ...[GrpcService, HttpService, TcpService, Job, CronJob, HttpEdge, MutualTls, ServiceLimits, TrafficPolicy],
  ...[ExternalService, ExistingService, ExistingCaller],
];

type Rendering = abstract new (...args: never[]) => MeshConstruct;

/**
 * Whether what a construct renders is the library's to answer for: a class of one's own that overrides anything, or an instance that does, renders
 * what it likes. One that only gives its base other properties renders what that does.
 */
export function isOfLibrary(part: MeshConstruct): boolean {
  const base = library.find(
    (one) => part instanceof one && addsNothing(part, one.prototype as MeshConstruct),
  );
  if (base === undefined) return false;
  const known = base.prototype as object;
  return !Object.getOwnPropertyNames(part).some((name) => name in known);
}

/** Whether the classes between an instance and a prototype have a constructor at most. */
function addsNothing(part: MeshConstruct, prototype: MeshConstruct): boolean {
  let at = Object.getPrototypeOf(part) as object | null;
  while (at !== null && at !== prototype) {
    if (Reflect.ownKeys(at).some((key) => key !== 'constructor')) return false;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return at === prototype;
}
