import type { DescService } from '@bufbuild/protobuf';
import type { k8s } from 'cdk8s-plus-28';
import type { Problem } from '../../core/problem.ts';
import { appContainer } from './container.ts';
import type { Grant } from './access.ts';
import type { GrpcService } from './grpc-service.ts';
import { hasHttpRule, hasHttpRules, httpGatewayApp, upstreams } from './http-transcoding.ts';
import type { Method, MethodKind } from './method.ts';
import { ingressGateway } from './names.ts';
import type { Namespace } from './namespace.ts';
import type { Projection } from './projection.ts';
import { exportTo } from './visibility.ts';
import { gatewayOutliers, type OutlierDetection } from './traffic/destination-rule.ts';
import type { WorkloadTracing } from './telemetry/tracing.ts';
import { Workload } from './workload.ts';

export interface HttpGatewayProps<C extends string> {
  /** Services whose google.api.http paths are served. */
  readonly expose: readonly GrpcService<DescService, C, string>[];
  /** Clusters its pods run in. @default - every cluster of the mesh */
  readonly placement?: readonly NoInfer<C>[];
  /** Its share of traces. @default - the mesh's */
  readonly tracing?: WorkloadTracing;
  /** Folder of the gateway app. @default apps/gateway */
  readonly app?: string;
}

/**
 * The mesh's HTTP edge: a workload that translates HTTP with JSON into gRPC for the exposed services, and the routes
 * that bring it everything that reaches the ingress gateways. A mesh has one at most, as it takes every host.
 */
export class HttpGateway<C extends string> extends Workload<C> {
  readonly expose: readonly GrpcService<DescService, C, string>[];

  constructor(scope: Namespace<C>, name: string, props: HttpGatewayProps<C>) {
    super(scope, name, {
      app: props.app ?? httpGatewayApp,
      placement: props.placement,
      tracing: props.tracing,
    });
    this.expose = props.expose;
    // What it translates is what it may call.
    for (const service of props.expose) {
      const methods = Object.values<Method<MethodKind, C>>(service.method);
      this.calls(...methods.filter(({ descriptor }) => hasHttpRule(descriptor)));
    }
  }

  override problems(): readonly Problem[] {
    return [...super.problems(), ...this.#ownProblems(), ...this.#exposeProblems()];
  }

  override project(into: Projection): void {
    super.project(into);
    const metadata = { name: this.name, namespace: this.namespace.name };
    const port = this.mesh.ingress.model.port;
    into.addIstio('40-services', this.where, 'Gateway', metadata, {
      selector: { istio: ingressGateway.selector },
      servers: [{ port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }],
    });
    // The way in is open to everybody, on this one port of the gateway's pods.
    into.addIstio(
      '40-services',
      this.where,
      'AuthorizationPolicy',
      { name: this.name, namespace: ingressGateway.namespace },
      {
        selector: { matchLabels: { istio: ingressGateway.selector } },
        action: 'ALLOW',
        rules: [{ to: [{ operation: { ports: [String(this.mesh.ingress.targetPort)] } }] }],
      },
    );
    const { http } = this.ports;
    const destination = { host: this.host, ...(http === undefined ? {} : { port: { number: http } }) };
    into.addIstio('40-services', this.where, 'VirtualService', metadata, {
      exportTo: exportTo(this.namespace.name, [ingressGateway.namespace]),
      hosts: ['*'],
      gateways: [this.name],
      http: [{ name: 'edge', route: [{ destination }] }],
    });
  }

  protected override get outliers(): OutlierDetection {
    return gatewayOutliers;
  }

  /** The ingress gateways, and nobody else. */
  protected override get grants(): readonly Grant[] {
    const { http } = this.ports;
    return http === undefined ? [] : [{ principal: this.mesh.ingress.principal, port: http }];
  }

  protected override get callerNamespaces(): readonly string[] {
    return [ingressGateway.namespace];
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const { config, expose } = this;
    const entries = expose.map((service) => ({
      services: [service.service.typeName],
      address: `${service.host}:${String(service.ports.grpc)}`,
    }));
    const env = { UPSTREAMS: upstreams(entries) };
    return [appContainer({ name: config.name, image, config, ports: config.ports, cluster, env })];
  }

  #ownProblems(): readonly Problem[] {
    const problems: Problem[] = [];
    const { where, app, soundConfig } = this;
    if (soundConfig !== undefined && soundConfig.ports.http === undefined) {
      problems.push({
        where: `${where}: app`,
        what: `${app}/config.yml has no ports.http`,
        fix: 'add it, usually 8080',
      });
    }
    const first = this.mesh.node.findAll().find((part) => part instanceof HttpGateway);
    if (first instanceof HttpGateway && first !== (this as HttpGateway<string>)) {
      problems.push({
        where,
        what: `the mesh already has an HTTP gateway, ${first.where}, which takes every host`,
        fix: `expose the services there`,
      });
    }
    return problems;
  }

  #exposeProblems(): readonly Problem[] {
    const where = `${this.where}: expose`;
    if (this.expose.length === 0) {
      return [
        {
          where,
          what: 'there is nothing to expose',
          received: [],
          fix: 'name a service, or remove the gateway',
        },
      ];
    }
    return this.expose.flatMap((service, index): Problem[] => {
      const { where: received } = service;
      if (this.expose.indexOf(service) !== index) {
        return [{ where, what: 'the service is listed twice', received, fix: 'remove one' }];
      }
      const rival = this.expose
        .slice(0, index)
        .find((other) => other.service.typeName === service.service.typeName);
      if (rival !== undefined) {
        const what = `the service serves ${service.service.typeName}, as does ${rival.where}: its paths would be ambiguous`;
        return [{ where, what, received, fix: 'expose one of them' }];
      }
      if (!hasHttpRules(service.service)) {
        return [
          {
            where,
            what: 'no method of the service has an HTTP path',
            received,
            fix: 'add a google.api.http option to a method, or do not expose it',
          },
        ];
      }
      return [];
    });
  }
}
