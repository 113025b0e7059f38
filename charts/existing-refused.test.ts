import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { ExternalService } from './constructs/access/external-service.ts';
import { HttpEdge } from './constructs/edge/http-edge.ts';
import type { Namespace } from './constructs/scope/mesh-construct.ts';
import * as typed from './index.ts';
import { MeshConstruct, type Projection } from './index.ts';
import { lab } from './platforms.ts';
import { edge, onExisting, shopOnExisting, theirGateways, theirs } from './testing/existing.ts';
import { catalogIn, clusters, problemsOf, twoClusters } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

/** The library as plain JavaScript sees it: without types. */
const { existing, Mesh } = typed as unknown as {
  readonly existing: (...given: unknown[]) => unknown;
  readonly Mesh: new (...given: unknown[]) => typed.Mesh<'east' | 'west'>;
};

const label = 'allowed a DNS label: 1 to 63 characters of a-z, 0-9 and hyphen, no hyphen at either end';

/** What synth says of a mesh with a platform, or of one with other properties. */
function said(platform: unknown, props: object = {}, name = 'demo'): readonly string[] {
  const all = { root: '.', trustDomain: 'cluster.local', clusters, platform, ...props };
  return problemsOf(new Mesh(name, all));
}

describe('an Istio of others that is not declared', () => {
  test('at all, or in parts', () => {
    const what = 'demo: platform: does not say enough of the Istio that is there: it lacks';
    const allowed = "allowed existing({ imageHub: 'registry.example/shop', istio: { revision: 'stable' } })";
    for (const nothing of [existing(), existing(null)]) {
      const [problem = ''] = said(nothing);
      expect(problem.startsWith(`${what} imageHub, istio; received {`)).toBe(true);
      expect(problem.endsWith(`; ${allowed}`)).toBe(true);
    }
    const [problem = ''] = said(existing({ ...theirs, istio: 'prod', sidecar: 1, gateway: [] }));
    expect(problem.startsWith(`${what} istio, sidecar, gateway; received {`)).toBe(true);
  });

  test('by nothing, or by what is no object, whatever else is declared on it', () => {
    const of = (platform: unknown) =>
      withProject({}, (root) => {
        const mesh = new Mesh('demo', { root, trustDomain: 'cluster.local', clusters, platform });
        edge(shopOnExisting(mesh));
        return problemsOf(mesh);
      });
    const { imageHub } = theirs;
    const lacks = (keys: string, received: unknown) => [
      formatProblem({
        where: 'demo: platform',
        what: `does not say enough of the Istio that is there: it lacks ${keys}`,
        received,
        allowed: "existing({ imageHub: 'registry.example/shop', istio: { revision: 'stable' } })",
      }),
    ];
    const parts = 'imageHub, istio, sidecar, gateway';
    expect(of({ existing: undefined })).toEqual(lacks(parts, { existing: undefined }));
    for (const none of [existing(), existing(null), existing({})])
      expect(of(none)).toEqual(lacks('imageHub, istio', none));
    for (const nothing of [undefined, null, 5, 'prod', []]) {
      const platform = existing({ imageHub, istio: nothing });
      expect(of(platform)).toEqual(lacks('istio', platform));
    }
    for (const nothing of [null, 5, 'front-door', []]) {
      const received = JSON.stringify(nothing);
      expect(of(existing({ ...theirs, ingress: nothing }))).toEqual([
        `demo: platform.ingress: does not name gateways; received ${received}; ` +
          "allowed { namespace, serviceAccount, selector: { istio: 'ingressgateway' }, service }",
      ]);
      expect(of(existing({ ...theirs, ingress: { ...theirGateways, selector: nothing } }))).toEqual([
        `demo: platform.ingress.selector: does not select pods; received ${received}; ` +
          "allowed labels of the gateways' pods, at least one, such as { istio: 'ingressgateway' }",
      ]);
    }
  });

  test('by names, all mistakes together', () => {
    const istio = { revision: '1.30', rootNamespace: '', cni: 'yes', eastWestNamespace: 5, tag: 'a' };
    const ingress = { namespace: 'A', serviceAccount: '', selector: {}, port: 80 };
    const sidecar = { requests: { cpu: '0,5', memory: '64Mi' }, limits: { cpu: '1', memory: '1Gi' } };
    const options = { imageHub: 'https://hub', imagePullSecrets: 'key', istio, ingress, sidecar };
    const reader =
      'fix: remove it; a construct of your own that reads it passes on the other properties only';
    expect(said(existing(options))).toEqual([
      'demo: platform.imageHub: is not an image registry; received "https://hub"; ' +
        'allowed the registry and path that image references begin with, such as registry.example/shop',
      'demo: platform.imagePullSecrets: is not a list of names; received "key"; ' +
        "allowed a list of names of Secrets, such as ['registry-key']",
      'demo: platform.existing.tag: unknown key; received "tag"; ' +
        `allowed revision, rootNamespace, cni, eastWestNamespace; ${reader}`,
      `demo: platform.existing.revision: is not a name; received "1.30"; ${label}`,
      `demo: platform.existing.rootNamespace: is not a name; received ""; ${label}`,
      `demo: platform.existing.eastWestNamespace: is not a name; received 5; ${label}`,
      'demo: platform.existing.cni: is not a boolean; received "yes"; allowed true or false',
      'demo: platform.ingress.port: unknown key; received "port"; ' +
        `allowed namespace, serviceAccount, selector, service; ${reader}`,
      `demo: platform.ingress.namespace: is not a name; received "A"; ${label}`,
      `demo: platform.ingress.service: is not a name; received nothing; ${label}`,
      `demo: platform.ingress.serviceAccount: is not a name; received ""; ${label}`,
      'demo: platform.ingress.selector: does not select pods; received {}; ' +
        "allowed labels of the gateways' pods, at least one, such as { istio: 'ingressgateway' }",
      'demo: platform.sidecar.requests.cpu: is not a resource quantity; received "0,5"; ' +
        'allowed a Kubernetes quantity as text, at least "1m", such as "250m"',
    ]);
    expect(said(existing({ ...theirs, ingress: 'front-door' }))).toEqual([
      'demo: platform.ingress: does not name gateways; received "front-door"; ' +
        "allowed { namespace, serviceAccount, selector: { istio: 'ingressgateway' }, service }",
    ]);
  });

  test('with an option that nobody reads', () => {
    expect(() => existing({ ...theirs, istioTag: '1.30.0' })).toThrow(
      'existing: istioTag: unknown key; received "istioTag"; ' +
        'allowed imageHub, imagePullSecrets, istio, ingress, sidecar, gateway; ' +
        'fix: remove it; a construct of your own that reads it passes on the other properties only',
    );
  });
});

test('what belongs to others cannot be declared for them', () => {
  const { east, west } = clusters;
  const address = { type: 'LoadBalancer', sources: ['10.0.0.0/8'] };
  const istio = { revisions: { '1-30': {} } };
  const props = {
    gateways: { eastWest: address },
    clusters: {
      east: { ...east, istio },
      west: { ...west, gateways: { eastWest: address, ingress: address } },
    },
  };
  const shown = '{"type":"LoadBalancer","sources":["10.0.0.0/8"]}';
  const between = `is about the gateways between networks, which belong to others; received ${shown}; fix: leave it out`;
  const planes =
    'demo: clusters.east.istio: declares control planes, which belong to others; received {"revisions":{"1-30":{}}}; ' +
    'fix: leave it out: upgrades of Istio are for its owners';
  expect(said(existing(theirs), props)).toEqual([
    `demo: gateways.eastWest: ${between}`,
    planes,
    `demo: clusters.west.gateways.eastWest: ${between}`,
  ]);
  expect(said(existing({ ...theirs, ingress: theirGateways }), props)).toEqual([
    `demo: gateways.eastWest: ${between}`,
    planes,
    `demo: clusters.west.gateways.eastWest: ${between}`,
    'demo: clusters.west.gateways.ingress: is about ingress gateways that belong to others (platform.ingress); ' +
      `received ${shown}; fix: leave it out`,
  ]);
});

test('a mesh whose name is too long for that of its gateway', () => {
  const name = 'a'.repeat(56);
  expect(said(existing(theirs), {}, name)).toEqual([
    `${name}: the name of the mesh is too long for that of its ingress gateway, NAME-ingress; ` +
      `received "${name}"; allowed up to 55 characters`,
  ]);
  expect(said(existing(theirs), {}, name.slice(1))).toEqual([]);
  expect(said(existing({ ...theirs, ingress: theirGateways }), {}, name)).toEqual([]);
});

describe('a shared namespace', () => {
  test('is for an Istio of others alone, and says yes or no', () => {
    const mesh = twoClusters('.', lab);
    mesh.namespace('team-a', { shared: true });
    mesh.namespace('team-b', { shared: false });
    expect(problemsOf(mesh)).toEqual([
      "demo/team-a: shared: is only for an Istio of others: with the mesh's own, what holds for the whole mesh holds for their workloads, too; " +
        'received true; fix: leave it out, or declare platform: existing({ ... })',
    ]);
    const other = onExisting('.');
    const wrong = other.namespace.bind(other) as (...given: unknown[]) => unknown;
    wrong('team-a', { shared: 'yes' });
    wrong('team-b', { share: true });
    wrong('team-c', null);
    expect(problemsOf(other)).toEqual([
      'demo/team-a: shared: is not a boolean; received "yes"; allowed true or false',
      'demo/team-b: share: unknown key; received "share"; allowed shared, podSecurity, traffic; fix: did you mean shared?',
    ]);
  });

  test('has no external service, and none that calls one', () => {
    withProject({}, (root) => {
      const mesh = onExisting(root);
      const { shop, team, catalog, orders } = shopOnExisting(mesh);
      const host = { host: 'bank.example', port: 8080, protocol: 'HTTP', plaintext: true } as const;
      const bank = new ExternalService(shop, 'bank', { ...host, addresses: ['192.0.2.1'] });
      const till = new ExternalService(team, 'till', { host: 'till.example', port: 443, protocol: 'TLS' });
      catalog.callsExternal(bank, till);
      orders.callsExternal(bank);
      expect(problemsOf(mesh)).toEqual([
        'demo/team-a/orders: callsExternal[0]: would be in the way of others, too: calls to bank.example of every pod in the ' +
          'shared namespace team-a would go through it; received "demo/shop/bank"; ' +
          'fix: declare the caller in a namespace that the mesh has alone',
        'demo/team-a/till: is declared in a shared namespace, where calls of others to its host would go through it, too; ' +
          'received "team-a"; fix: declare it, and the services that call it, in a namespace that the mesh has alone',
      ]);
    });
  });

  test('is none of Istio or its gateways', () => {
    const istio = { rootNamespace: 'istio-root', eastWestNamespace: 'east-west' };
    const reserved = (name: string) =>
      `demo/${name}: the namespace is reserved, not for applications; received "${name}"; fix: choose another name`;
    const names = ['istio-root', 'east-west', 'edge-system', 'demo-ingress', 'istio-system'];
    const of = (options: object) => {
      const mesh = onExisting('.', { istio, ...options });
      for (const name of names) mesh.namespace(name, { shared: true });
      return problemsOf(mesh);
    };
    expect(of({})).toEqual(['istio-root', 'east-west', 'demo-ingress', 'istio-system'].map(reserved));
    expect(of({ ingress: theirGateways })).toEqual(
      ['istio-root', 'east-west', 'edge-system', 'istio-system'].map(reserved),
    );
  });
});

test('an edge for every host of gateways that belong to others', () => {
  withProject({}, (root) => {
    const mesh = onExisting(root, { ingress: theirGateways });
    const shop = mesh.namespace('shop');
    new HttpEdge(shop, 'edge', { expose: [catalogIn(shop)], tls: { secret: 'A' } });
    expect(problemsOf(mesh)).toEqual([
      'demo/shop/edge: hosts: is every host of gateways that belong to others; received ["*"]; ' +
        "fix: name the edge's hosts, or leave ingress out of the platform for gateways of the mesh's own",
      'demo/shop/edge: tls.secret: is not the name of a Secret; allowed up to 253 of a-z, 0-9, hyphens and dots; ' +
        'fix: put the certificate and its key into a Secret of type kubernetes.io/tls in edge-system, and name it here',
    ]);
  });
});

/** A construct of one's own. */
class Own extends MeshConstruct<'east' | 'west'> {
  readonly mesh;
  readonly #add: (into: Projection) => void;

  constructor(scope: Namespace<'east' | 'west'>, add: (into: Projection) => void) {
    super(scope, 'own');
    this.mesh = scope.mesh;
    this.#add = add;
  }

  override project(into: Projection): void {
    this.#add(into);
  }
}

/** What synth says of objects of one's own for one cluster and the other, each once. */
function refused(add: (into: Projection) => void): readonly string[] {
  return withProject({}, (root) => {
    const mesh = onExisting(root, { istio: { rootNamespace: 'istio-root' } });
    new Own(shopOnExisting(mesh).shop, add);
    return problemsOf(mesh);
  });
}

const accepted = { 'meshwright/accept-undeclared-namespace': 'the owners know' };

describe('an object of one’s own that touches what belongs to others', () => {
  test('in the namespace of Istio, whatever reason it gives', () => {
    const problems = refused((into) => {
      const metadata = { name: 'all', namespace: 'istio-root', annotations: accepted };
      into.addIstio('30-mesh', 'demo/own', 'PeerAuthentication', metadata, { mtls: { mode: 'STRICT' } });
    });
    expect(problems).toEqual([
      'demo/own: PeerAuthentication istio-root/all is in a namespace of the Istio of others, in which nothing is written; ' +
        'received "istio-root"; fix: put it into a namespace of the mesh',
    ]);
  });

  test('in a shared namespace about pods of others, or about all', () => {
    const labels = { 'app.kubernetes.io/name': 'orders' };
    const problems = refused((into) => {
      const at = (name: string) => ({ name, namespace: 'team-a' });
      into.addIstio('30-mesh', 'demo/own', 'AuthorizationPolicy', at('all'), {});
      into.addIstio('30-mesh', 'demo/own', 'EnvoyFilter', at('some'), {
        workloadSelector: { labels },
        configPatches: [],
      });
      into.add('30-mesh', typed.k8s.KubeLimitRange, at('limits'), { spec: { limits: [] } });
    });
    const also = 'also selects pods of others, with whom the namespace is shared';
    const fix = 'fix: add app.kubernetes.io/managed-by: meshwright, app.kubernetes.io/part-of: demo';
    expect(problems).toEqual([
      `demo/own: AuthorizationPolicy team-a/all: spec.selector.matchLabels ${also}; received {}; ${fix}`,
      'demo/shop/own: LimitRange team-a/limits holds for every pod of a namespace that is shared with others; ' +
        'fix: remove it, or put it into a namespace that the mesh has alone',
      `demo/own: EnvoyFilter team-a/some: spec.workloadSelector.labels ${also}; ` +
        `received {"app.kubernetes.io/name":"orders"}; ${fix}`,
      'demo/own: EnvoyFilter team-a/some changes the proxies of Deployment team-a/orders, which the mesh declares; ' +
        'received {"app.kubernetes.io/name":"orders"}; fix: use the constructs for it, or have it select pods of your own; ' +
        'or, if it has to be so, give the reason in its annotation meshwright/accept-own-proxy',
    ]);
  });

  test('the namespace itself', () => {
    const problems = refused((into) => {
      into.add('00-namespaces', typed.k8s.KubeNamespace, { name: 'team-a' }, {});
    });
    expect(problems).toEqual([
      'demo/shop/own: Namespace team-a belongs to others, and is read and never written; fix: remove it',
    ]);
  });
});
