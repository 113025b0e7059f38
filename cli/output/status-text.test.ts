import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SecretsListed } from '../../infra/remote/remote-status.ts';
import { isHealthy, type MeshStatus } from '../../infra/status/mesh-status.ts';
import { formatStatus, troubles, verdict } from './status-text.ts';
import { anyStatus, tooLong } from './testing/any-status.ts';
import { clusterStatus, meshStatus } from './testing/sample-status.ts';

describe('status, for people', () => {
  test('of a healthy mesh', () => {
    expect(formatStatus(meshStatus())).toBe(`\
healthy: 2 clusters and 2 services are ready, and clusters reach each other

CLUSTER  READY  NODES  ISTIO (PROXIES)  CA UNTIL    CONTEXT
east     yes    1      default (6)      2031-01-01  east
west     yes    1      default (6)      2031-01-01  west

GATEWAYS OF  INGRESS                EAST-WEST
east         http://172.29.0.10:80  172.29.0.10:15443
west         http://172.29.0.20:80  172.29.0.20:15443

SERVICE  READY IN EAST  READY IN WEST
catalog  1/1            1/1
orders   1/1            -

CONTROL PLANE OF  READS  STATE   TOKEN UNTIL
east              west   synced  2030-06-01
west              east   synced  2030-06-01

calls between clusters: answered, checked 2030-01-01T00:00:00.000Z
applied by: server-side apply
trust: generation 1, intermediate 1, root until 2039-12-30`);
  });

  test('of a mesh on an Istio of others has no word of CAs, tokens and gateways that are theirs', () => {
    const ofOthers = { eastWest: null, certificateNotAfter: null, trust: null, remotes: {} };
    const controlPlanes = [{ revision: 'prod', ready: true, proxies: 6 }];
    const clusterOf = (context: string) =>
      clusterStatus('172.29.0.10', 'none', { ...ofOthers, context, controlPlanes });
    const [east, west] = [clusterOf('east'), clusterOf('west')];
    const seen = meshStatus({ clusters: { east, west } });
    expect(formatStatus(seen)).toBe(`\
healthy: 2 clusters and 2 services are ready, and clusters reach each other

CLUSTER  READY  NODES  ISTIO (PROXIES)  CONTEXT
east     yes    1      prod (6)         east
west     yes    1      prod (6)         west

GATEWAYS OF  INGRESS
east         http://172.29.0.10:80
west         http://172.29.0.10:80

SERVICE  READY IN EAST  READY IN WEST
catalog  1/1            1/1
orders   1/1            -

calls between clusters: answered, checked 2030-01-01T00:00:00.000Z
applied by: server-side apply`);
    const without = meshStatus({
      clusters: { east: { ...east, ingress: null }, west: { ...west, ingress: null } },
    });
    expect(formatStatus(without)).not.toContain('GATEWAYS');
  });

  test('of one in which much is wrong says what, before its tables', () => {
    const remote = {
      tokenNotAfter: null,
      istiod: 'unknown',
      problem: 'there is no Secret',
      warning: null,
      listsSecrets: null,
    } as const;
    const trust = {
      state: 'generation 1, intermediate 2',
      rootNotAfter: '2039-12-30T00:00:00.000Z',
      warning: 'its CA ended 2 days ago: raise trust.intermediate to 3',
      keyInSecret: true,
    };
    const unreached = {
      ready: false,
      ingress: null,
      eastWest: null,
      nodes: 0,
      controlPlanes: [],
      certificateNotAfter: null,
      trust: null,
      remotes: {},
    };
    const seen = meshStatus({
      engine: 'pulumi',
      clusters: {
        east: clusterStatus('172.29.0.10', 'west', {
          ready: false,
          controlPlanes: [
            { revision: '1-29', ready: true, proxies: 2 },
            { revision: '1-30', ready: false, proxies: 0 },
          ],
          remotes: { west: remote },
          trust,
        }),
        west: clusterStatus('172.29.0.20', 'east', { ...unreached, context: 'prod-west' }),
        north: clusterStatus('172.29.0.30', 'east', { ready: false }),
        south: clusterStatus('172.29.0.40', 'east', { ready: false, nodes: 0 }),
      },
      services: { catalog: { east: { desired: 2, ready: 1 }, west: { desired: 1, ready: 0 } } },
      crossCluster: { ok: false, checked: '2030-01-01T00:00:00.000Z' },
    });
    expect(formatStatus(seen)).toBe(`\
not healthy:
  - cluster east is not ready: control plane 1-30 is not available
  - cluster west cannot be reached (context prod-west)
  - cluster north is not ready: a node or a gateway is not
  - cluster south has no nodes
  - service catalog: 1 of 2 pods are ready in east
  - service catalog: 0 of 1 pods are ready in west
  - the control plane of east does not read the API server of west: there is no
    Secret
  - calls between clusters are not answered
warning: east: its CA ended 2 days ago: raise trust.intermediate to 3

CLUSTER  READY  NODES  ISTIO (PROXIES)               CA UNTIL    CONTEXT
east     no     1      1-29 (2), 1-30 not ready (0)  2031-01-01  prod
west     no     0      -                             -           prod-west
north    no     1      default (6)                   2031-01-01  prod
south    no     0      default (6)                   2031-01-01  prod

GATEWAYS OF  INGRESS                EAST-WEST
east         http://172.29.0.10:80  172.29.0.10:15443
west         -                      -
north        http://172.29.0.30:80  172.29.0.30:15443
south        http://172.29.0.40:80  172.29.0.40:15443

SERVICE  READY IN EAST  READY IN WEST  READY IN NORTH  READY IN SOUTH
catalog  1/2            0/1            -               -

CONTROL PLANE OF  READS  STATE   TOKEN UNTIL
east              west   FAILED  -
north             east   synced  2030-06-01
south             east   synced  2030-06-01

calls between clusters: FAILED, checked 2030-01-01T00:00:00.000Z
applied by: Pulumi
trust in east: generation 1, intermediate 2, root until 2039-12-30
trust in north: generation 1, intermediate 1, root until 2039-12-30
trust in south: generation 1, intermediate 1, root until 2039-12-30`);
  });

  test('says what who takes a remote secret can read, and which where it is not each', () => {
    const remote = {
      tokenNotAfter: '2030-06-01T00:00:00.000Z',
      istiod: 'synced',
      problem: null,
      warning: null,
    } as const;
    const seen = (east: SecretsListed | null, west: SecretsListed | null) =>
      verdict(
        meshStatus({
          clusters: {
            east: clusterStatus('172.29.0.10', 'west', {
              remotes: { west: { ...remote, listsSecrets: east } },
            }),
            west: clusterStatus('172.29.0.20', 'east', {
              remotes: { east: { ...remote, listsSecrets: west } },
            }),
          },
        }),
      ).slice(1);
    expect(seen('all', 'all')).toEqual([
      'risk: a remote secret opens all Secrets of the cluster that it reads, the key',
      '  of its CA among them: docs/security.md',
    ]);
    expect(seen('none', 'all')).toEqual([
      'risk: a remote secret (west of east) opens all Secrets of the cluster that it',
      '  reads, the key of its CA among them: docs/security.md',
    ]);
    expect(seen('namespace', 'namespace')).toEqual([
      "risk: a remote secret opens the Secrets of the control plane's namespace of",
      '  the cluster that it reads, the key of its CA among them: docs/security.md',
    ]);
    expect(seen('namespace', 'all')).toEqual([
      'risk: a remote secret (west of east) opens all Secrets of the cluster that it',
      '  reads, the key of its CA among them: docs/security.md',
      "risk: a remote secret (east of west) opens the Secrets of the control plane's",
      '  namespace of the cluster that it reads, the key of its CA among them:',
      '  docs/security.md',
    ]);
    expect(seen('none', null)).toEqual([]);
  });

  test('says where the key of a CA is in no Secret that a remote secret opens', () => {
    const sample = clusterStatus('172.29.0.10', 'west');
    const remote = {
      tokenNotAfter: null,
      istiod: 'synced',
      problem: null,
      warning: null,
      listsSecrets: 'all',
    } as const;
    const trust = { ...sample.trust!, keyInSecret: false };
    const seen = meshStatus({
      clusters: {
        east: { ...sample, trust, remotes: { west: remote } },
        west: clusterStatus('172.29.0.20', 'east', { trust, remotes: { east: remote } }),
      },
    });
    expect(verdict(seen).slice(1)).toEqual([
      'risk: a remote secret opens all Secrets of the cluster that it reads; the key',
      '  of its CA is in none: docs/security.md',
    ]);
  });

  test('lists what is too wide for a table', () => {
    const context = 'arn:aws:eks:us-east-1:123456789012:cluster/production-of-the-whole-company-east';
    const seen = meshStatus({ clusters: { east: clusterStatus('172.29.0.10', 'west', { context }) } });
    expect(formatStatus(seen)).toContain(`
cluster east
  ready: yes
  nodes: 1
  Istio (proxies): default (6)
  CA until: 2031-01-01
  context:
    ${context}

GATEWAYS OF`);
  });

  test('keeps to 80 columns whatever the names are, and finds no trouble just where the exit code is 0', () => {
    fc.assert(
      fc.property(anyStatus, (seen: MeshStatus) => {
        expect(tooLong(formatStatus(seen))).toEqual([]);
        expect(troubles(seen).length === 0).toBe(isHealthy(seen));
      }),
    );
  });
});

test('status tells the roll-outs that have not arrived, and why the last up failed', () => {
  const since = '2030-01-01T00:00:00.000Z';
  const because = 'container catalog of Pod shop/catalog-1 ended with exit code 1, restarted 4 times';
  const rollout = { cluster: 'east', object: 'Deployment shop/catalog', missing: '0 of 1 replicas updated' };
  const rollouts = [
    { ...rollout, because },
    { ...rollout, cluster: 'west', because: null },
  ];
  const problems = ['east: one', 'west: two'];
  expect(troubles(meshStatus({ rollouts, unfinishedUp: { since, problems } }))).toEqual([
    `Deployment shop/catalog in east: 0 of 1 replicas updated: ${because}`,
    'Deployment shop/catalog in west: 0 of 1 replicas updated',
    `the last npm run up, of ${since}, failed`,
    'it said: east: one',
    'it said: west: two',
  ]);
  expect(troubles(meshStatus({ unfinishedUp: { since, problems: null } }))).toEqual([
    `the npm run up of ${since} was interrupted, or still runs`,
  ]);
  expect(troubles(meshStatus())).toEqual([]);
});
