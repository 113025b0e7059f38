import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearExtension, fromBinary, getExtension, hasExtension, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { freePort } from '../../apps/testing/free-port.ts';
import { run } from '../../core/run.ts';
import { http } from '../../gen/google/api/annotations_pb.js';
import { startPeer } from './process.ts';
import type { Peer } from './process.ts';

export interface EnvoyOptions {
  /** The project's root. */
  readonly root: string;
  /** The program. */
  readonly envoy: string;
  /** Folder for its configuration and descriptors. */
  readonly folder: string;
  /** `HOST:PORT` of the gRPC server. */
  readonly backend: string;
  /** Fully qualified names of the services to transcode. */
  readonly services: readonly string[];
  readonly processor?: number;
}

/** Starts Envoy with one worker and its grpc_json_transcoder in front of a gRPC server. */
export async function startEnvoy(options: EnvoyOptions): Promise<Peer> {
  const { root, folder, processor } = options;
  mkdirSync(folder, { recursive: true });
  const descriptors = join(folder, 'descriptors.binpb');
  await run(
    join(root, 'node_modules/.bin/buf'),
    ['build', 'proto', '--as-file-descriptor-set', '--output', descriptors],
    { cwd: root, timeoutMs: 60_000 },
  );
  writeFileSync(descriptors, withoutResponseBodies(readFileSync(descriptors)));
  const port = await freePort();
  const config = join(folder, 'envoy.json');
  writeFileSync(config, JSON.stringify(bootstrap(options, descriptors, port), undefined, 2));
  return startPeer({
    name: 'envoy',
    command: options.envoy,
    args: ['--config-path', config, '--concurrency', '1', '--use-dynamic-base-id', '--log-level', 'warn'],
    port,
    ...(processor === undefined ? {} : { processor }),
  });
}

/** The descriptors without the bindings that have a `response_body`: Envoy does not start with one. */
function withoutResponseBodies(bytes: Uint8Array): Uint8Array {
  const set = fromBinary(FileDescriptorSetSchema, bytes);
  const methods = set.file.flatMap(({ service }) => service.flatMap(({ method }) => method));
  for (const { options } of methods)
    if (
      options !== undefined &&
      hasExtension(options, http) &&
      getExtension(options, http).responseBody !== ''
    )
      clearExtension(options, http);
  return toBinary(FileDescriptorSetSchema, set);
}

const type = (name: string) => `type.googleapis.com/envoy.extensions.${name}`;

function bootstrap({ backend, services }: EnvoyOptions, descriptors: string, port: number): object {
  const [host = '', backendPort] = backend.split(':');
  const socket = (address: string, portValue: number) => ({
    address: { socket_address: { address, port_value: portValue } },
  });
  const manager = {
    '@type': type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'in',
    // So that a path reaches the transcoder as the client wrote it.
    normalize_path: false,
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'backend' } }] },
      ],
    },
    http_filters: [
      {
        name: 'transcoder',
        typed_config: {
          '@type': type('filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder'),
          proto_descriptor: descriptors,
          services,
          convert_grpc_status: true,
          // By google/api/http.proto and the JSON mapping of proto3 where Envoy leaves the choice.
          url_unescape_spec: 'ALL_CHARACTERS_EXCEPT_SLASH',
          query_param_unescape_plus: true,
          print_options: { always_print_primitive_fields: true },
          request_validation_options: { reject_unknown_method: true, reject_unknown_query_parameters: true },
        },
      },
      { name: 'router', typed_config: { '@type': type('filters.http.router.v3.Router') } },
    ],
  };
  const protocol = {
    '@type': type('upstreams.http.v3.HttpProtocolOptions'),
    explicit_http_config: { http2_protocol_options: {} },
  };
  return {
    static_resources: {
      listeners: [
        {
          name: 'in',
          ...socket('127.0.0.1', port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'backend',
          connect_timeout: '5s',
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': protocol,
          },
          load_assignment: {
            cluster_name: 'backend',
            endpoints: [{ lb_endpoints: [{ endpoint: socket(host, Number(backendPort)) }] }],
          },
        },
      ],
    },
  };
}
