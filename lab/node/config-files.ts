import { stringify } from 'yaml';
import { hostNameZone } from './load-balancer-addresses.ts';
import { inNode, nodePaths, type NodeSpec } from './spec.ts';

/** containerd's configuration (version 3). */
export function containerdConfig(spec: NodeSpec): string {
  const paths = nodePaths(inNode.state);
  return `version = 3
root = "${paths.containerdRoot}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[plugins."io.containerd.internal.v1.opt"]
  path = "${paths.containerdRoot}/opt"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${spec.pauseImage}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without CAP_SYS_RESOURCE a lower oom_score_adj is refused, and runc fails.
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/opt/cni/bin"]
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`;
}

/** The pod network: a bridge inside the node, addresses by host-local, kept in /run as pods do not outlive the node. */
export function cniConfig(spec: NodeSpec): string {
  return JSON.stringify(
    {
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        {
          type: 'bridge',
          bridge: 'cni0',
          isGateway: true,
          ipMasq: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: spec.pods }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: '/run/cni-addresses',
          },
        },
        { type: 'portmap', capabilities: { portMappings: true } },
      ],
    },
    null,
    2,
  );
}

/** The kubelet's configuration (kubelet.config.k8s.io/v1beta1). */
export function kubeletConfig(spec: NodeSpec): string {
  const { pki } = nodePaths(inNode.state);
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${pki}/ca.crt` },
    },
    authorization: { mode: 'Webhook' },
    clusterDNS: [spec.address],
    clusterDomain: 'cluster.local',
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    tlsCertFile: `${pki}/kubelet.crt`,
    tlsPrivateKeyFile: `${pki}/kubelet.key`,
    // Containers share the host's cgroup tree, below the node's own root.
    cgroupDriver: 'cgroupfs',
    cgroupRoot: spec.cgroupRoot,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    // Images are imported; there is no registry.
    imagePullCredentialsVerificationPolicy: 'NeverVerify',
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    volumePluginDir: `${inNode.state}/volume-plugins`,
    resolvConf: '/dev/null',
    // At each sync the kubelet also tries the readiness probe of a pod that is not ready, whatever the probe's period is.
    // Istio gives its gateways a period of 15 s, and a proxy that takes 2 s to start fails the first probe.
    syncFrequency: '1s',
    shutdownGracePeriod: '0s',
    registerWithTaints: [],
  });
}

/**
 * Cluster DNS on the node's own address, and the host names of load balancers in all clusters; there is no resolver outside,
 * so every other name gets NXDOMAIN.
 */
export function corefile(spec: NodeSpec): string {
  return `cluster.local:53 {
  bind ${spec.address}
  kubernetes cluster.local {
    kubeconfig ${nodePaths(inNode.state).kubeconfig} ${spec.name}
  }
  cache 5
}
${hostNameZone}:53 {
  bind ${spec.address}
  template IN A {
    match ^([0-9]+)-([0-9]+)-([0-9]+)-([0-9]+)[.]
    answer "{{ .Name }} 5 IN A {{ index .Match 1 }}.{{ index .Match 2 }}.{{ index .Match 3 }}.{{ index .Match 4 }}"
  }
  template IN AAAA {
    rcode NOERROR
  }
}
.:53 {
  bind ${spec.address}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
