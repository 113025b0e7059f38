import type { Problem } from '../../../core/problem.ts';
import { callProblems, isMethod } from './authorization.ts';
import type { Namespace } from '../scope/mesh-construct.ts';
import type { Callable } from '../scope/callable.ts';
import type { Caller, Method } from '../scope/method.ts';
import { isRoute, type ServiceRoute } from '../scope/service-route.ts';
import { hostOf, isPort, type TcpPort } from '../scope/tcp-port.ts';
import { httpCallProblems } from './call-rules.ts';
import type { Egress, EgressPort } from './egress.ts';
import { calledPorts, externalCallProblems, externalEgress, type ExternalCall } from './external-calls.ts';
import { proxySecrets } from './external-tls.ts';

/** Whose calls are recorded. */
interface RecordedCaller {
  readonly where: string;
  readonly mesh: object;
  readonly namespace: Pick<Namespace<string>, 'name' | 'shared'>;
}

/** What pods call. */
export class CallRecord {
  /** Methods, ports and routes, in the order they were given; plain JavaScript may have put anything here until the problems were asked for. */
  readonly given: Callable[] = [];
  /** Over HTTP. */
  readonly http: Method[] = [];
  /** Outside the mesh. */
  readonly external: ExternalCall[] = [];

  /** What it calls over gRPC. */
  get grpc(): readonly Method[] {
    return this.given.filter((call) => !isPort(call) && !isRoute(call)) as Method[];
  }

  /** What it calls over TCP. */
  get tcp(): readonly TcpPort[] {
    return this.given.filter(isPort);
  }

  /** The routes of services over plain HTTP that it calls. */
  get routes(): readonly ServiceRoute[] {
    return this.given.filter(isRoute);
  }

  /** Hosts it calls; only once everything that it calls is right. */
  get egress(): readonly Egress[] {
    const requests = [...this.grpc, ...this.http, ...this.routes].map(({ service }) => ({
      host: `${service.namespace.name}/${service.host}`,
      ports: listenersOf(service),
    }));
    return [...requests, ...this.tcp.map(tcpEgress), ...externalEgress(this.external)];
  }

  /** Adds calls outside the mesh, and tells the hosts who calls them; plain JavaScript may pass anything for one. */
  callExternal(caller: Pick<Caller, 'namespace'>, called: readonly ExternalCall[]): void {
    this.external.push(...called);
    for (const { service } of calledPorts(called)) service.noteCaller(caller);
  }

  /** Annotations of its pods by which its proxy gets the Secrets that calls outside the mesh need. */
  get proxyAnnotations(): Readonly<Record<string, string>> {
    return proxySecrets(calledPorts(this.external));
  }

  /**
   * What is wrong with what it calls.
   * @param caller - whose record it is
   * @param others - what its proxy leads it to beside that
   */
  problems({ where, mesh, namespace }: RecordedCaller, others: readonly Egress[]): readonly Problem[] {
    const overHttp = callProblems(where, mesh, this.http, (index) => `callsHttp[${index}]`);
    const called = [...[...this.grpc, ...this.http].filter(isMethod), ...this.routes];
    const ports = called.flatMap(({ service }) => {
      // A wrong config.yml has its own problems.
      return service.isSound ? listenersOf(service) : [];
    });
    return [
      ...callProblems(where, mesh, this.given, undefined, { ports: true, routes: true }),
      ...overHttp,
      ...(overHttp.length > 0 ? [] : httpCallProblems(where, this.http)),
      ...externalCallProblems(
        where,
        mesh,
        this.external,
        [...ports, ...others.flatMap((other) => other.ports)],
        namespace,
      ),
    ];
  }
}

/** What a proxy listens on for a service of the mesh over gRPC, and by HTTP. */
function listenersOf({ ports }: Pick<(Method | ServiceRoute)['service'], 'ports'>): readonly EgressPort[] {
  return Object.values<number>(ports).map((number) => ({ number, kind: 'HTTP' }));
}

/** The host of a port over TCP: of single pods, the one below which they have names, whose addresses are told apart as well. */
function tcpEgress(port: TcpPort): Egress {
  const { service, portName, ofPods } = port;
  const number = ofPods ? service.containerPort(portName) : service.servicePort(portName);
  return {
    host: `${service.namespace.name}/${hostOf(port)}`,
    ports: [{ number, kind: 'TCP', clustered: true }],
  };
}
