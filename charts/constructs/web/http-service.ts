import type { k8s } from 'cdk8s-plus-28';
import { isForeign, parseHttpProps } from '../../../apps/config/app-config.ts';
import { httpKeys } from '../../../apps/config/foreign-schema.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Grant } from '../access/authorization.ts';
import { saidIn } from '../scope/keys-in.ts';
import { given, type LoadedApp, type Namespace } from '../scope/mesh-construct.ts';
import type { Projection } from '../scope/projection.ts';
import { routeOf, type HttpCallee, type HttpVerb, type ServiceRoute } from '../scope/service-route.ts';
import { routesExportTo } from '../scope/visibility.ts';
import { gatewayOutliers, type Destined, type OutlierDetection } from '../traffic/destination-rule.ts';
import { defaultRetries, type NamedRoute } from '../traffic/virtual-service.ts';
import { foreignContainer } from '../workload/foreign-container.ts';
import { loadedBy } from '../workload/source.ts';
import { Workload } from '../workload/workload.ts';
import { propProblems, type HttpServiceProps } from './http-props.ts';
import {
  httpOutliers,
  httpRoutesAt,
  httpVirtualService,
  type AtGateway,
  type Requested,
} from './http-traffic.ts';
import { refuseAmbiguousPaths } from './safe-paths.ts';

export type { HttpRetries, HttpServiceProps } from './http-props.ts';

/**
 * A service that speaks plain HTTP: a web front, a REST service in any language. It is declared by the reference of its image, and called
 * by verb and path: `cart.calls(front.route('GET', '/api/*'))` lets the identity of `cart` make these requests, in every
 * cluster, and no others. An HttpEdge that exposes such a route leads requests from outside to it.
 */
export class HttpService<C extends string> extends Workload<C> implements HttpCallee<C> {
  /** Its properties as they were given. */
  readonly #props: HttpServiceProps<C>;
  readonly #loaded: LoadedApp;

  constructor(scope: Namespace<C>, name: string, props: HttpServiceProps<C>) {
    const { placement, pod, clusters } = given(props);
    super(scope, name, { placement, pod, clusters });
    this.#props = props;
    this.#loaded = loadedBy(() => parseHttpProps(this.where, name, saidIn(props, httpKeys)));
  }

  /**
   * Requests to it, as a value for whatever refers to some.
   * @param verbs - one or several, of those that HTTP has: a GET that is granted brings no HEAD with it
   * @param path - exactly this, as proxies normalize it: `/carts`; all below: `/carts/*`, which `/carts` itself is not; or with `{*}` for
   *   one segment and a last `{**}` for all that follow: `/carts/{*}/items`
   */
  route(verbs: HttpVerb | readonly HttpVerb[], path: `/${string}`): ServiceRoute<C> {
    return routeOf<C>(this, verbs, path);
  }

  override get loaded(): LoadedApp {
    return this.#loaded;
  }

  override problems(): readonly Problem[] {
    return [...super.problems(), ...propProblems(this.where, this.#props, this.clusters, this.mesh.clusters)];
  }

  override project(into: Projection): void {
    super.project(into);
    const { where, name, exportTo } = this;
    const metadata = { name, namespace: this.namespace.name };
    const { http } = this.containerPorts;
    if (http !== undefined) {
      const spec = refuseAmbiguousPaths(this.podLabels, http);
      into.addIstio(
        '40-services',
        where,
        'EnvoyFilter',
        { ...metadata, name: `${name}.paths`, app: name },
        spec,
      );
    }
    const routes = httpVirtualService(this.#requested);
    if (routes === undefined) return;
    const exported = routesExportTo(metadata.namespace, exportTo, this.callerNamespaces);
    into.addIstio('60-traffic', where, 'VirtualService', metadata, { ...routes, exportTo: exported });
  }

  /** The routes to it for a path at a gateway that calls it itself. */
  routesAt(path: string, gateway: AtGateway): readonly NamedRoute[] {
    return httpRoutesAt(this.#requested, path, gateway);
  }

  /** Callers are let through to the verbs and paths of their routes. */
  protected override get grants(): readonly Grant[] {
    const { http: port } = this.containerPorts;
    if (port === undefined) return [];
    return [...this.callers.routeCallers].map(([{ principal }, routes]) => ({
      principal,
      port,
      http: byVerbs(routes).map(({ verbs, paths }) => ({ methods: verbs, paths })),
    }));
  }

  protected override containers(cluster: string, image: string): k8s.Container[] {
    const config = this.configIn(cluster);
    return isForeign(config) ? [foreignContainer(config, image)] : [];
  }

  /**
   * Where clients from outside can have it answer 503, or nothing in time, its answers count for nobody: a client would take its pods away
   * from all others.
   */
  protected override get outliers(): OutlierDetection {
    const { principal } = this.mesh.ingress;
    const isExposed = [...this.callers.routeCallers.keys()].some((caller) => caller.principal === principal);
    return isExposed ? gatewayOutliers : httpOutliers;
  }

  protected override get destined(): Destined {
    const { failover } = given(this.#props);
    return { ...super.destined, policy: failover === undefined ? undefined : { failover } };
  }

  get #requested(): Requested {
    const { timeoutMs, retries } = given(this.#props);
    const { retries: usual } = defaultRetries(this.mesh.platform);
    return {
      ...{ host: this.host, port: this.ports.http ?? 0, timeoutMs, retries },
      ...(usual === undefined ? {} : { usual }),
    };
  }
}

/** Paths, ordered, by the verbs that they are granted with. */
function byVerbs(
  routes: readonly ServiceRoute[],
): readonly { readonly verbs: readonly string[]; readonly paths: readonly string[] }[] {
  const groups = Map.groupBy(routes, ({ verbs }) => [...verbs].sort().join());
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([verbs, same]) => ({
      verbs: verbs.split(','),
      paths: [...new Set(same.map(({ path }) => path))].sort(),
    }));
}
