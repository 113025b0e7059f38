import { extname, join } from 'node:path';
import { inNode, nodePaths, type NodeSpec } from './spec.ts';

/** A program that runs as long as its node. */
export interface Daemon {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Whether it is started only once the API server answers. */
  readonly needsApi: boolean;
}

/** A program of the lab's own, beside this one. */
function ours(name: string, spec: string): Daemon {
  const program = join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);
  return {
    ...{ name, command: process.execPath, needsApi: true },
    args: ['--disable-warning=ExperimentalWarning', program, spec],
  };
}

/** The daemons of a single-node cluster, in their starting order. */
export function daemonsOf(spec: NodeSpec): readonly Daemon[] {
  const paths = nodePaths(inNode.state);
  const pki = (file: string) => join(paths.pki, file);
  const etcd = 'http://127.0.0.1:2379';
  const before = (name: string, args: readonly string[]): Daemon => ({
    name,
    command: name,
    args,
    needsApi: false,
  });
  const after = (name: string, args: readonly string[]): Daemon => ({
    name,
    command: name,
    args,
    needsApi: true,
  });
  return [
    before('etcd', [
      `--data-dir=${paths.etcd}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      '--listen-peer-urls=http://127.0.0.1:2380',
      // A lab is rebuilt, not recovered, after a power cut.
      '--unsafe-no-fsync',
    ]),
    before('containerd', ['--config', paths.containerdConfig]),
    before('kube-apiserver', [
      `--etcd-servers=${etcd}`,
      `--advertise-address=${spec.address}`,
      `--service-cluster-ip-range=${spec.services}`,
      '--authorization-mode=Node,RBAC',
      '--allow-privileged=true',
      `--client-ca-file=${pki('ca.crt')}`,
      `--tls-cert-file=${pki('apiserver.crt')}`,
      `--tls-private-key-file=${pki('apiserver.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${pki('sa.pub')}`,
      `--service-account-signing-key-file=${pki('sa.key')}`,
      `--kubelet-client-certificate=${pki('admin.crt')}`,
      `--kubelet-client-key=${pki('admin.key')}`,
      `--kubelet-certificate-authority=${pki('ca.crt')}`,
      // The node's name resolves nowhere.
      '--kubelet-preferred-address-types=InternalIP',
    ]),
    after('kube-controller-manager', [
      `--kubeconfig=${paths.kubeconfig}`,
      `--service-account-private-key-file=${pki('sa.key')}`,
      `--root-ca-file=${pki('ca.crt')}`,
      `--cluster-signing-cert-file=${pki('ca.crt')}`,
      `--cluster-signing-key-file=${pki('ca.key')}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
    ]),
    after('kube-scheduler', [`--kubeconfig=${paths.kubeconfig}`, '--leader-elect=false']),
    after('kubelet', [
      `--config=${paths.kubeletConfig}`,
      `--kubeconfig=${paths.kubeletKubeconfig}`,
      `--hostname-override=${spec.name}`,
      `--node-ip=${spec.address}`,
      `--node-labels=topology.kubernetes.io/region=${spec.region},topology.kubernetes.io/zone=${spec.zone}`,
    ]),
    after('kube-proxy', [
      `--kubeconfig=${paths.kubeconfig}`,
      `--hostname-override=${spec.name}`,
      '--proxy-mode=nftables',
      `--cluster-cidr=${spec.pods}`,
      // Those sysctls belong to the host's namespace and are read-only here.
      '--conntrack-max-per-core=0',
      '--conntrack-min=0',
      '--conntrack-tcp-timeout-established=0s',
      '--conntrack-tcp-timeout-close-wait=0s',
    ]),
    after('coredns', ['-conf', paths.corefile]),
    ours('load-balancer', paths.spec),
    ours('volume-provisioner', paths.spec),
  ];
}
