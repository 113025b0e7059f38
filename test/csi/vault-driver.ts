import {
  chownSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Server, ServerCredentials, type handleUnaryCall, type ServiceDefinition } from '@grpc/grpc-js';

/** Files of a volume, by their names. */
export type Files = Readonly<Record<string, string>>;

export interface VaultDriver {
  /** Volumes that the kubelet has asked for and not given back: folders, as this machine sees them. */
  readonly volumes: ReadonlySet<string>;
  /** Puts other files into all volumes, and into those to come. */
  readonly give: (files: Files) => void;
  readonly stop: () => void;
}

/** Where kubelets look for plug-ins, and where pods' volumes are. */
const kubeletFolder = '/var/lib/kubelet';
/** Of istiod's container. */
const istioUser = 1337;

/**
 * A CSI driver as a kubelet talks to one (https://github.com/container-storage-interface/spec, and the kubelet's plug-in
 * registration), which gives each volume of a pod the same files: what the Secrets Store CSI driver does with a vault behind it.
 * @param mounts - folder in which the node's `/var/lib/kubelet` is, as this machine sees it
 */
export async function startVaultDriver(
  driver: string,
  { node, mounts, files }: { readonly node: string; readonly mounts: string; readonly files: Files },
): Promise<VaultDriver> {
  const seen = (path: string) => join(mounts, path);
  const volumes = new Set<string>();
  let given = files;
  const server = new Server();
  server.addService(
    service('pluginregistration.Registration', ['GetInfo', 'NotifyRegistrationStatus']),
    answers({
      GetInfo: () =>
        message(
          [1, 'CSIPlugin'],
          [2, driver],
          [3, `${kubeletFolder}/plugins/${driver}/csi.sock`],
          [4, '1.0.0'],
        ),
      NotifyRegistrationStatus: () => message(),
    }),
  );
  server.addService(
    service('csi.v1.Identity', ['GetPluginInfo', 'GetPluginCapabilities', 'Probe']),
    answers({
      GetPluginInfo: () => message([1, driver], [2, '1.0.0']),
      GetPluginCapabilities: () => message(),
      Probe: () => message(),
    }),
  );
  server.addService(
    service('csi.v1.Node', [
      'NodeGetInfo',
      'NodeGetCapabilities',
      'NodePublishVolume',
      'NodeUnpublishVolume',
    ]),
    answers({
      NodeGetInfo: () => message([1, node]),
      NodeGetCapabilities: () => message(),
      NodePublishVolume: (request) => {
        const folder = seen(texts(request).get(4) ?? '');
        volumes.add(folder);
        write(folder, given);
        return message();
      },
      NodeUnpublishVolume: (request) => {
        const folder = seen(texts(request).get(2) ?? '');
        volumes.delete(folder);
        rmSync(folder, { recursive: true, force: true });
        return message();
      },
    }),
  );
  // A socket's path may have 107 characters, and that of a checkout any number.
  const short = mkdtempSync(join(tmpdir(), 'csi-'));
  const folders = [`${kubeletFolder}/plugins/${driver}`, `${kubeletFolder}/plugins_registry`].map(seen);
  const sockets = folders.map((folder, index) => {
    mkdirSync(folder, { recursive: true });
    symlinkSync(folder, join(short, String(index)));
    return join(short, String(index), index === 0 ? 'csi.sock' : `${driver}.sock`);
  });
  for (const socket of sockets) {
    rmSync(socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
  return {
    volumes,
    give: (next) => {
      given = next;
      for (const folder of volumes) write(folder, given);
    },
    stop: () => {
      server.forceShutdown();
      for (const socket of sockets) rmSync(socket, { force: true });
      rmSync(folders[0]!, { recursive: true, force: true });
      rmSync(short, { recursive: true });
    },
  };
}

/** Each file is replaced as a whole, and is istiod's alone to read. */
function write(folder: string, files: Files): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const part = join(folder, `.${name}`);
    writeFileSync(part, content, { mode: 0o400 });
    chownSync(part, istioUser, istioUser);
    chmodSync(part, 0o400);
    renameSync(part, join(folder, name));
  }
}

type Answer = (request: Uint8Array) => Uint8Array;

function answers(
  by: Readonly<Record<string, Answer>>,
): Record<string, handleUnaryCall<Uint8Array, Uint8Array>> {
  return Object.fromEntries(
    Object.entries(by).map(([name, answer]) => [
      name,
      (call, reply) => {
        try {
          reply(null, answer(call.request));
        } catch (error) {
          reply(error as Error);
        }
      },
    ]),
  );
}

function service(name: string, methods: readonly string[]): ServiceDefinition {
  const asIs = {
    serialize: (value: Uint8Array) => Buffer.from(value),
    deserialize: (bytes: Buffer) => bytes,
  };
  return Object.fromEntries(
    methods.map((method) => [
      method,
      {
        path: `/${name}/${method}`,
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs.serialize,
        requestDeserialize: asIs.deserialize,
        responseSerialize: asIs.serialize,
        responseDeserialize: asIs.deserialize,
      },
    ]),
  );
}

/** A message of text fields, by their numbers. */
function message(...fields: readonly (readonly [number, string])[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, text] of fields) writer.tag(number, WireType.LengthDelimited).string(text);
  return writer.finish();
}

/** The last value of each field of a message that is text, by its number. */
function texts(bytes: Uint8Array): ReadonlyMap<number, string> {
  const reader = new BinaryReader(bytes);
  const found = new Map<number, string>();
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    if (type === WireType.LengthDelimited) found.set(number, Buffer.from(reader.bytes()).toString('utf8'));
    else reader.skip(type);
  }
  return found;
}
