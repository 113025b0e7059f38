import {
  DestinationRule,
  Gateway,
  ServiceEntry,
  Sidecar,
  VirtualService,
} from '@kubernetes-models/istio/networking.istio.io/v1';
import { EnvoyFilter } from '@kubernetes-models/istio/networking.istio.io/v1alpha3';
import {
  AuthorizationPolicy,
  PeerAuthentication,
  RequestAuthentication,
} from '@kubernetes-models/istio/security.istio.io/v1';
import { Telemetry } from '@kubernetes-models/istio/telemetry.istio.io/v1';
import { watch } from './unread.ts';

/** The kinds of Istio's resources that are rendered. */
interface Models {
  readonly AuthorizationPolicy: AuthorizationPolicy;
  readonly DestinationRule: DestinationRule;
  readonly EnvoyFilter: EnvoyFilter;
  readonly Gateway: Gateway;
  readonly PeerAuthentication: PeerAuthentication;
  readonly ServiceEntry: ServiceEntry;
  readonly RequestAuthentication: RequestAuthentication;
  readonly Sidecar: Sidecar;
  readonly Telemetry: Telemetry;
  readonly VirtualService: VirtualService;
}

/** Istio resource kinds that constructs use. */
export type IstioKind = keyof Models;

/** Body of an Istio resource. */
export type IstioSpec<K extends IstioKind> = NonNullable<Models[K]['spec']>;

interface IstioModel {
  /** The version that is rendered: the one Istio's CRDs store. */
  readonly apiVersion: string;
  /** What the schema finds wrong, one text per finding; nothing when the resource is valid. */
  readonly validate: (resource: { readonly metadata: object; readonly spec: object }) => readonly string[];
}

/** How each kind is rendered and checked. */
export const istioModels: Readonly<Record<IstioKind, IstioModel>> = {
  AuthorizationPolicy: { apiVersion: 'security.istio.io/v1', validate: validator(AuthorizationPolicy) },
  DestinationRule: { apiVersion: 'networking.istio.io/v1', validate: validator(DestinationRule) },
  EnvoyFilter: { apiVersion: 'networking.istio.io/v1alpha3', validate: validator(EnvoyFilter) },
  Gateway: { apiVersion: 'networking.istio.io/v1', validate: validator(Gateway) },
  PeerAuthentication: { apiVersion: 'security.istio.io/v1', validate: validator(PeerAuthentication) },
  ServiceEntry: { apiVersion: 'networking.istio.io/v1', validate: validator(ServiceEntry) },
  RequestAuthentication: { apiVersion: 'security.istio.io/v1', validate: validator(RequestAuthentication) },
  Sidecar: { apiVersion: 'networking.istio.io/v1', validate: validator(Sidecar) },
  Telemetry: { apiVersion: 'telemetry.istio.io/v1', validate: validator(Telemetry) },
  VirtualService: { apiVersion: 'networking.istio.io/v1', validate: validator(VirtualService) },
};

interface SchemaError {
  readonly instancePath: string;
  readonly message?: string;
}

/** What the schema of a model finds wrong, as texts; also keys that it does not know, which it would let pass. */
export function validator(model: { readonly prototype: { validate(): void } }): IstioModel['validate'] {
  return (resource) => {
    const { value, unread } = watch(resource);
    const unknown = () => unread().map((path) => `${path} is not a field of this kind`);
    try {
      // By itself the model would look at a copy.
      model.prototype.validate.call(value);
      return unknown();
    } catch (error) {
      if (!(error instanceof Error && 'errors' in error)) throw error;
      const found = (error.errors as readonly SchemaError[]).map(
        ({ instancePath, message = 'not valid' }) =>
          `${instancePath.slice(1).replaceAll('/', '.')} ${message}`,
      );
      return [...found, ...unknown()];
    }
  };
}
