import { imageLabels } from './spec.ts';
import type { ImageFile, ImageSpec } from './spec.ts';

/** The tag of the pause image; raise it to change the image. */
export const pauseTag = '1';

/** User names and the resolver's order, which the C library reads. */
const accounts: readonly ImageFile[] = [
  {
    to: '/etc/passwd',
    from: {
      content: [
        'root:x:0:0:root:/:/sbin/nologin',
        'istio-proxy:x:1337:1337:istio-proxy:/nonexistent:/sbin/nologin',
        'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
        'nonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin',
        '',
      ].join('\n'),
    },
  },
  {
    to: '/etc/group',
    from: { content: 'root:x:0:\nistio-proxy:x:1337:\nnogroup:x:65534:\nnonroot:x:65532:\n' },
  },
  { to: '/etc/nsswitch.conf', from: { content: 'hosts: files dns\n' } },
];

/** For programs that expect a /tmp; in a pod with a read-only root it stays empty. */
const temporary = { '/tmp': 0o1777 } as const;

/** The program that holds a pod's namespaces: it sleeps, reaps orphans, and ends at once on SIGTERM. */
export function pauseImage(): ImageSpec {
  return {
    name: 'pause',
    tag: pauseTag,
    packages: ['catatonit'],
    user: '65532:65532',
    entrypoint: ['/usr/bin/catatonit', '-P'],
    labels: imageLabels('pause', 'Holds the namespaces of a pod (catatonit)', pauseTag),
  };
}

/** The base of Istio's data plane: the C library, iptables and the CA certificates. */
function istioBase(tag: string): ImageSpec {
  return {
    name: 'base-istio',
    tag,
    packages: [
      'ca-certificates',
      'iptables',
      'libc6',
      'libgcc-s1',
      'libip4tc2',
      'libip6tc2',
      'libmnl0',
      'libnetfilter-conntrack3',
      'libnfnetlink0',
      'libnftnl11',
      'libxtables12',
      'netbase',
    ],
    files: accounts,
    folders: temporary,
    // Debian's alternatives system would create these.
    links: Object.fromEntries(
      ['iptables', 'ip6tables'].flatMap((program) =>
        ['', '-save', '-restore'].map((suffix) => [`/usr/sbin/${program}${suffix}`, 'xtables-nft-multi']),
      ),
    ),
  };
}

/** Programs and files that the Istio images take from the tools, by the tools' names. */
export type IstioTools = Readonly<
  Record<
    'pilot-discovery' | 'pilot-agent' | 'install-cni' | 'istio-cni' | 'envoy' | 'envoy_bootstrap.json',
    string
  >
>;

/**
 * Istio's images as its own Dockerfiles lay them out (pilot/docker/Dockerfile.pilot and Dockerfile.proxyv2,
 * cni/deployments/kubernetes/Dockerfile.install-cni in the Istio repository), with an upstream Envoy.
 */
export function istioImages(tools: IstioTools, tag: string): readonly ImageSpec[] {
  const program = (to: string, name: keyof IstioTools): ImageFile => ({
    to,
    from: { path: tools[name] },
    mode: 0o755,
  });
  const base = istioBase(tag);
  return [
    {
      name: 'pilot',
      tag,
      packages: ['ca-certificates'],
      files: [...accounts, program('/usr/local/bin/pilot-discovery', 'pilot-discovery')],
      folders: temporary,
      user: '1337:1337',
      entrypoint: ['/usr/local/bin/pilot-discovery'],
      labels: imageLabels('pilot', "Istio's control plane", tag),
    },
    {
      name: 'proxyv2',
      tag,
      base,
      files: [
        program('/usr/local/bin/envoy', 'envoy'),
        program('/usr/local/bin/pilot-agent', 'pilot-agent'),
        {
          to: '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
          from: { path: tools['envoy_bootstrap.json'] },
        },
      ],
      workingDirectory: '/',
      user: '1337:1337',
      entrypoint: ['/usr/local/bin/pilot-agent'],
      labels: imageLabels('proxyv2', "Istio's proxy agent with an upstream Envoy", tag),
    },
    {
      name: 'install-cni',
      tag,
      base,
      files: [
        program('/usr/local/bin/install-cni', 'install-cni'),
        program('/opt/cni/bin/istio-cni', 'istio-cni'),
      ],
      environment: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/cni/bin' },
      workingDirectory: '/opt/cni/bin',
      user: '0:0',
      command: ['/usr/local/bin/install-cni'],
      labels: imageLabels('install-cni', "Istio's CNI plugin and its installer", tag),
    },
  ];
}

/**
 * Node and the libraries it links to: no shell, no package manager.
 * @param node Path of the Node program.
 */
export function nodeBase(node: string, version: string): ImageSpec {
  return {
    name: 'base-node',
    tag: version,
    packages: ['libc6', 'libgcc-s1', 'libstdc++6'],
    files: [...accounts, { to: '/usr/bin/node', from: { path: node }, mode: 0o755 }],
    folders: temporary,
  };
}
