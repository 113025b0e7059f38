import { describe, expect, test } from '@jest/globals';
import { synthesize } from './synth.ts';
import { jwt } from './testing/edge.ts';
import {
  edge,
  find,
  inNamespace,
  joined,
  onExisting,
  rendered,
  shopOnExisting,
  theirGateways,
} from './testing/existing.ts';
import { expectGolden } from './testing/golden.ts';
import { objectOf } from './testing/mesh.ts';
import { withProject } from './testing/project.ts';

describe('an edge', () => {
  test('has an ingress gateway of the mesh, with all that one has on an Istio of its own', () => {
    const objects = rendered(edge);
    const gateway = inNamespace(objects, 'demo-ingress');
    expect(gateway.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'AuthorizationPolicy allow-nothing.demo',
      'AuthorizationPolicy edge.shop',
      'ConfigMap demo-ingress-bootstrap',
      'Deployment demo-ingress',
      'EnvoyFilter edge-proxy',
      'EnvoyFilter edge.shop',
      'EnvoyFilter edge.shop.connections',
      'EnvoyFilter rate-limits',
      'PeerAuthentication mutual-tls.demo',
      'PodDisruptionBudget demo-ingress',
      'RequestAuthentication edge.shop',
      'Role demo-ingress',
      'RoleBinding demo-ingress',
      'Service demo-ingress',
      'ServiceAccount demo-ingress',
      'Telemetry telemetry.demo',
    ]);
    expectGolden(import.meta.url, 'existing-own-ingress', gateway);
    // A Gateway selects pods of every namespace: those of others that have the one label do not have all.
    const selector = {
      istio: 'demo-ingress',
      'app.kubernetes.io/managed-by': 'meshwright',
      'app.kubernetes.io/part-of': 'demo',
    };
    expect(find(objects, 'Gateway', 'edge')?.['spec']).toMatchObject({ selector });
    expect((find(objects, 'Gateway', 'edge')?.['spec'] as { selector: object }).selector).toEqual(selector);
    expect(find(objects, 'Deployment', 'demo-ingress')).toMatchObject({
      spec: { template: { metadata: { labels: selector } } },
    });
    expect(find(objects, 'AuthorizationPolicy', 'edge')).toMatchObject({
      spec: {
        rules: [{ from: [{ source: { principals: ['cluster.local/ns/demo-ingress/sa/demo-ingress'] } }] }],
      },
    });
  });

  test('without one there is no gateway', () => {
    withProject({}, (root) => {
      const mesh = onExisting(root);
      shopOnExisting(mesh);
      expect(mesh.model().ingress).toBeUndefined();
      expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'demo-ingress')).toBeUndefined();
    });
  });

  test('joins gateways of others by a Gateway and a VirtualService alone, and is guarded at its own proxy', () => {
    const objects = rendered(edge, joined);
    const named = inNamespace(objects, 'shop').filter(
      ({ apiVersion, metadata }) => apiVersion.includes('istio.io') && metadata.name.startsWith('edge'),
    );
    expectGolden(import.meta.url, 'existing-joined-edge', named);
    expect(find(objects, 'Gateway', 'edge')).toMatchObject({
      spec: {
        selector: theirGateways.selector,
        servers: [{ port: { number: 80 } }, { port: { number: 443 } }],
      },
    });
    const pods = { 'app.kubernetes.io/name': 'edge' };
    const policy = find(objects, 'AuthorizationPolicy', 'edge')?.['spec'] as {
      readonly selector: object;
      readonly rules: readonly { readonly from: readonly { readonly source: { principals: object } }[] }[];
    };
    expect(policy.selector).toEqual({ matchLabels: pods });
    expect(policy.rules.length).toBeGreaterThan(3);
    for (const rule of policy.rules) {
      expect(rule).toMatchObject({
        from: [{ source: { principals: ['cluster.local/ns/edge-system/sa/front-door'] } }],
        to: [
          {
            operation: { ports: ['8080'], hosts: ['api.example', 'api.example:*'], paths: expect.anything() },
          },
        ],
      });
    }
    expect(find(objects, 'RequestAuthentication', 'edge')).toMatchObject({
      spec: { selector: { matchLabels: pods }, jwtRules: [{ issuer: jwt.issuer }] },
    });
    expect(find(objects, 'EnvoyFilter', 'edge.limits')).toMatchObject({
      spec: {
        workloadSelector: { labels: pods },
        configPatches: [{ match: { context: 'SIDECAR_INBOUND', listener: { portNumber: 8080 } } }],
      },
    });
    // On a connection that clients share, gateways of others do not have what keeps them apart.
    expect(JSON.stringify(find(objects, 'DestinationRule', 'edge'))).not.toContain('h2UpgradePolicy');
    const filters = objects.filter(({ kind }) => kind === 'EnvoyFilter');
    expect(JSON.stringify(filters)).not.toContain('"GATEWAY"');
  });
});

test('the model says what is theirs, and what is needed of their mesh configuration', () => {
  withProject({}, (root) => {
    const istio = { revision: 'prod-stable', rootNamespace: 'istio-root', eastWestNamespace: 'east-west' };
    const mesh = onExisting(root, { istio, ingress: theirGateways });
    edge(shopOnExisting(mesh));
    const { existing, eastWest, ingress, controlPlane, clusters, istio: images } = mesh.model();
    expect(existing).toEqual({
      ...istio,
      cni: true,
      ingress: theirGateways,
      sharedNamespaces: ['team-a'],
      needs: ['trustDomain', 'discoverySelectors', 'pathNormalization', 'accessLog'],
    });
    expect(eastWest).toBeUndefined();
    expect(images).toBeUndefined();
    expect(ingress).toEqual({ namespace: 'edge-system', name: 'front-door', port: 80, given: {} });
    expect(controlPlane).toEqual({ namespace: 'istio-root' });
    expect(clusters.map(({ controlPlanes }) => controlPlanes)).toEqual([[], []]);
  });
});
