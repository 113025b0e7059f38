import { createHash } from 'node:crypto';
import type { DescService } from '@bufbuild/protobuf';
import { k8s } from 'cdk8s-plus-28';
import { descriptorSet } from '../../../apps/config/descriptors/descriptor-set.ts';
import type { DescriptorSet, ProtoComments } from '../../../apps/config/descriptors/descriptor-set.ts';
import { knownFiles } from '../../../apps/config/descriptors/known-files.ts';
import type { Problem } from '../../../core/problem.ts';
import type { Metadata, Projection } from '../scope/projection.ts';

/** Where the gateway's container has it. */
const folder = '/etc/meshwright';
const key = 'descriptors.binpb';
const volume = 'descriptors';

/**
 * Most bytes of a set with its list. A ConfigMap holds 1 MiB
 * (https://kubernetes.io/docs/concepts/configuration/configmap/#motivation), and its object has more than its data.
 */
export const mostDescriptorBytes = 900 * 1024;

/**
 * The descriptors of the services that a workload's HTTP gateway serves, as a ConfigMap that the gateway reads when it starts.
 *
 * It is immutable and has a hash of its content in its name: pods of other content mount another one, so that a Deployment
 * rolls when the content changes and only then. Its former pods find theirs until the roll-out is over; afterwards it is deleted.
 */
export class GatewayDescriptors {
  /** Variables of the gateway's container. */
  readonly env = { DESCRIPTORS: `${folder}/${key}` };
  /** What that container mounts. */
  readonly mounts: readonly k8s.VolumeMount[] = [{ name: volume, mountPath: folder, readOnly: true }];
  readonly #set: DescriptorSet;

  constructor(services: Iterable<DescService>, comments: ProtoComments) {
    this.#set = descriptorSet(services, comments);
  }

  /** What the pods of a workload have. */
  volumesOf(workload: string): readonly k8s.Volume[] {
    return [{ name: volume, configMap: { name: this.#nameFor(workload) } }];
  }

  /**
   * @param metadata - of the workload
   * @param clusters - those that it has pods in
   */
  addTo(into: Projection, { name, ...metadata }: Metadata, clusters: readonly string[]): void {
    if (!clusters.includes(into.cluster.name)) return;
    const differs = { because: 'descriptors are where the pods are that read them', clusters, paths: [] };
    into.add(
      // That of the pods: whoever applies stage by stage may delete the former one at the end of its own stage, and pods of the
      // former ReplicaSet need it until the roll-out of this stage is over.
      '50-workloads',
      k8s.KubeConfigMap,
      { ...metadata, name: this.#nameFor(name), app: name, differs },
      { immutable: true, ...this.#content },
    );
  }

  /**
   * What keeps the set from being used.
   * @param where - what its services are declared by
   * @param fewer - how the gateway may serve fewer services
   */
  problems(where: string, fewer: string): readonly Problem[] {
    const { bytes, files } = this.#set;
    const found = this.#strangers.map((stranger): Problem => ({
      ...{ where, what: stranger.what, received: stranger.received },
      fix: `${stranger.fix}, or ${fewer}`,
    }));
    const received = bytes.length + Buffer.byteLength(this.#list);
    if (received <= mostDescriptorBytes) return found;
    const comments = files.reduce((sum, { commentBytes }) => sum + commentBytes, 0);
    const [largest] = files.toSorted((a, b) => b.bytes.length - a.bytes.length);
    const what =
      "the descriptors of the HTTP gateway's services do not fit into a ConfigMap: " +
      `${largest?.bytes.length ?? 0} of the bytes are ${largest?.name ?? ''}, ${comments} are comments`;
    const fix =
      `${fewer}, or split proto files, so that the file of a service imports only what it needs` +
      (comments === 0 ? '' : ', or leave comments of large files out of the comments of the mesh');
    return [...found, { where, what, received, allowed: `at most ${mostDescriptorBytes}`, fix }];
  }

  /** What keeps files from being in one set, or beside what every gateway has. */
  get #strangers(): readonly { readonly what: string; readonly received: string; readonly fix: string }[] {
    const { clashes, unknown } = this.#set;
    return [
      ...clashes.map(([received, file, rival]) => {
        const two = 'two proto files that the services of one HTTP gateway need';
        const fix = 'rename one of the two';
        if (file === rival) return { received, what: `${two} have this name, and differ`, fix };
        if (!knownFiles.has(file))
          return { received, what: `${two} declare this: ${file} and ${rival}`, fix };
        const what = `a proto file that services of an HTTP gateway need, ${rival}, declares this, as does ${file}, which every gateway has`;
        return { received, what, fix: `rename it in ${rival}` };
      }),
      ...unknown.map(([received, file]) => ({
        received,
        what: `services of an HTTP gateway need this of another ${file} than every gateway has, which lacks it or has it otherwise`,
        fix: `generate the code of these services with the ${file} that the gateway has`,
      })),
    ];
  }

  /** For reviewers: what is in the set. */
  get #list(): string {
    const { services, files } = this.#set;
    return [
      `What ${key} describes to the HTTP gateway.`,
      '',
      'Services:',
      ...services.map((name) => `  ${name}`),
      '',
      'Files that they need, with the SHA-256 and the bytes of their descriptors:',
      ...files.map(({ name, hash, bytes }) => `  ${name} ${hash.slice(0, 12)} ${bytes.length}`),
      '',
    ].join('\n');
  }

  get #content(): Pick<k8s.KubeConfigMapProps, 'data' | 'binaryData'> {
    return {
      data: { 'services.txt': this.#list },
      binaryData: { [key]: Buffer.from(this.#set.bytes).toString('base64') },
    };
  }

  /** As long as the content is the same, so is the name: an immutable ConfigMap of one name can have one content. */
  #nameFor(workload: string): string {
    const hash = createHash('sha256').update(JSON.stringify(this.#content)).digest('hex');
    return `${workload}-descriptors-${hash.slice(0, 10)}`;
  }
}
