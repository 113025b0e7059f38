// Makes the volumes that claims of a node's pods wait for, as folders of the node's state, and removes them with their claims.
// `node lab/node/volume-provisioner.ts SPEC.json`
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  makeInformer,
  StorageV1Api,
  V1StorageClass,
  type Informer,
  V1PersistentVolume,
  type V1PersistentVolumeClaim,
} from '@kubernetes/client-node';
import { defaultClass, releasedVolumes, volumeFor, waitingClaims } from './local-volumes.ts';
import { inNode, nodePaths, nodeSpecSchema, type NodeSpec } from './spec.ts';

await serve(nodeSpecSchema.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))));

async function serve(spec: NodeSpec): Promise<void> {
  const paths = nodePaths(inNode.state);
  const config = new KubeConfig();
  config.loadFromFile(paths.kubeconfig);
  const api = config.makeApiClient(CoreV1Api);
  await unlessThere(
    config
      .makeApiClient(StorageV1Api)
      .createStorageClass({ body: Object.assign(new V1StorageClass(), defaultClass) }),
  );
  const claims = makeInformer<V1PersistentVolumeClaim>(config, '/api/v1/persistentvolumeclaims', () =>
    api.listPersistentVolumeClaimForAllNamespaces(),
  );
  const volumes = makeInformer<V1PersistentVolume>(config, '/api/v1/persistentvolumes', () =>
    api.listPersistentVolume(),
  );
  let work = Promise.resolve();
  const reconcile = () => {
    work = work.then(apply).catch((error: unknown) => {
      log(`cannot apply: ${String(error)}`);
      setTimeout(reconcile, 1_000);
    });
  };
  follow(claims, reconcile);
  follow(volumes, reconcile);
  await Promise.all([claims.start(), volumes.start()]);

  async function apply(): Promise<void> {
    for (const claim of waitingClaims(claims.list(), spec.name)) {
      const volume = volumeFor(claim, spec.name, paths.volumes);
      // As a new disk is: root's own, until the kubelet gives it to the group of a pod.
      mkdirSync(volume.spec.local.path, { recursive: true, mode: 0o755 });
      const body = Object.assign(new V1PersistentVolume(), volume);
      if (await unlessThere(api.createPersistentVolume({ body })))
        log(`${claim.metadata?.namespace ?? ''}/${claim.metadata?.name ?? ''} gets ${volume.metadata.name}`);
    }
    for (const volume of releasedVolumes(volumes.list())) {
      const { metadata } = volume;
      const path = volume.spec?.local?.path;
      if (path?.startsWith(`${paths.volumes}/`) !== true) continue;
      rmSync(path, { recursive: true, force: true });
      await unlessGone(api.deletePersistentVolume({ name: metadata?.name ?? '' }));
      log(`removed ${metadata?.name ?? ''}`);
    }
  }
}

/** Looks again whenever something is new, or other than it was. */
function follow<T extends V1PersistentVolumeClaim | V1PersistentVolume>(
  informer: Informer<T>,
  reconcile: () => void,
): void {
  informer.on('add', reconcile);
  informer.on('update', reconcile);
  informer.on('error', (error: unknown) => {
    log(`watch ended: ${String(error)}`);
    setTimeout(() => void informer.start(), 1_000);
  });
}

/** Whether something was made: what has the name already stays. */
async function unlessThere(making: Promise<unknown>): Promise<boolean> {
  return unless(409, making);
}

async function unlessGone(removing: Promise<unknown>): Promise<boolean> {
  return unless(404, removing);
}

async function unless(code: number, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof ApiException && error.code === code) return false;
    throw error;
  }
}

function log(line: string): void {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}
