import { describe, expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { expectGolden } from '../../testing/golden.ts';
import { catalogIn, objectOf, objectsOf, problemsOf, twoClusters } from '../../testing/mesh.ts';
import { withProject, type AppFixture } from '../../testing/project.ts';
import { CatalogService } from '../../../gen/test/catalog/v1/catalog_pb.js';
import { GrpcService } from './grpc-service.ts';

function catalogOf(catalog: AppFixture) {
  return withProject({ catalog }, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'), { placement: ['east'] });
    return synthesize(mesh);
  });
}

interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly {
    readonly name: string;
    readonly env: readonly { readonly name: string }[];
  }[];
}

function podOf(rendered: ReturnType<typeof synthesize>): PodSpec {
  const deployment = objectOf(rendered, 'east', 'Deployment', 'catalog');
  return (deployment as unknown as { spec: { template: { spec: PodSpec } } }).spec.template.spec;
}

describe('autoscaling', () => {
  const rendered = catalogOf({ replicas: 1, autoscaling: { maxReplicas: 6 } });

  test('leaves the number of pods to the autoscaler, which looks at each container of the app', () => {
    expect(objectOf(rendered, 'east', 'Deployment', 'catalog')).not.toHaveProperty('spec.replicas');
    expect(objectOf(rendered, 'east', 'HorizontalPodAutoscaler', 'catalog')).toMatchObject({
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'catalog' },
        minReplicas: 1,
        maxReplicas: 6,
        metrics: ['catalog', 'http-gateway'].map((container) => ({
          type: 'ContainerResource',
          containerResource: { container, target: { averageUtilization: 70 } },
        })),
      },
    });
    expect(objectOf(rendered, 'west', 'HorizontalPodAutoscaler', 'catalog')).toBeUndefined();
    expectGolden(
      import.meta.url,
      'autoscaling',
      objectsOf(rendered, 'east', 'shop').filter(({ kind }) => kind.startsWith('Horizontal')),
    );
  });

  test('keeps apart, and in service, what may become two or more pods', () => {
    expect(objectOf(rendered, 'east', 'PodDisruptionBudget', 'catalog')).toBeDefined();
    expect(podOf(rendered)).toHaveProperty('topologySpreadConstraints');
  });

  test('goes with each version, from its own number of pods; one that is switched off has none', () => {
    withProject({ catalog: { autoscaling: { maxReplicas: 6, cpuPercent: 50 } } }, (root) => {
      const mesh = twoClusters(root);
      const versions = { v1: {}, v2: { replicas: 1 }, v3: { replicas: 0 }, v4: { replicas: 6 } };
      new GrpcService(mesh.namespace('a'), 'catalog', {
        app: 'apps/catalog',
        service: CatalogService,
        versions,
      });
      expect(problemsOf(mesh)).toEqual([
        'demo/a/catalog: versions.v4.replicas: not fewer than autoscaling.maxReplicas in apps/catalog/config.yml; ' +
          'received 6; allowed fewer than 6; fix: lower it, or raise maxReplicas',
      ]);
      const sound = twoClusters(root);
      const { v4, ...rest } = versions;
      expect(v4.replicas).toBe(6);
      new GrpcService(sound.namespace('a'), 'catalog', {
        app: 'apps/catalog',
        service: CatalogService,
        versions: rest,
      });
      const all = synthesize(sound);
      const least = (name: string) => objectOf(all, 'west', 'HorizontalPodAutoscaler', name)?.['spec'];
      expect(least('catalog-v1')).toMatchObject({ minReplicas: 2 });
      expect(least('catalog-v2')).toMatchObject({ minReplicas: 1 });
      expect(least('catalog-v3')).toBeUndefined();
      expect(objectOf(all, 'west', 'Deployment', 'catalog-v3')).toHaveProperty('spec.replicas', 0);
    });
  });
});

test('the drain budget reaches every container, and the app outlasts the gateway before it', () => {
  const pod = podOf(catalogOf({ shutdown: { drainSeconds: 45, graceSeconds: 60 } }));
  expect(pod.terminationGracePeriodSeconds).toBe(60);
  const drain = pod.containers.map(({ name, env }) => [
    name,
    env.filter((variable) => variable.name.startsWith('DRAIN_')),
  ]);
  expect(drain).toEqual([
    [
      'catalog',
      [
        { name: 'DRAIN_DELAY_MS', value: '11000' },
        { name: 'DRAIN_LIMIT_MS', value: '44000' },
      ],
    ],
    [
      'http-gateway',
      [
        { name: 'DRAIN_DELAY_MS', value: '10000' },
        { name: 'DRAIN_LIMIT_MS', value: '45000' },
      ],
    ],
  ]);
});

test('values of Secrets and ConfigMaps are referred to, by the container of the app alone', () => {
  const env = {
    TOKEN: { secret: 'tokens', key: 'api' },
    MODE: { configMap: 'settings', key: 'mode' },
  };
  const [app, gateway] = podOf(catalogOf({ env })).containers;
  expect(app?.env.slice(-2)).toEqual([
    { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'tokens', key: 'api' } } },
    { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
  ]);
  expect(JSON.stringify(gateway)).not.toContain('tokens');
});

test('D5: a value reaches the app as it stands in config.yml, but for the variables it uses', () => {
  const env = {
    UMASK: '0o027',
    COST: '5$ $$ $$$',
    URL: 'https://$(POD_NAME)/$$(POD_NAME)',
    REASONED: { value: 'pa$$word', notSecret: 'an example' },
  };
  const rendered = catalogOf({ env });
  const yaml = rendered.find(({ path }) => path === 'east/50-workloads.k8s.yaml')?.yaml;
  expect(yaml).toContain('value: "0o027"\n');
  // Kubernetes makes one dollar of two.
  expect(podOf(rendered).containers[0]?.env.slice(-4)).toEqual([
    { name: 'UMASK', value: '0o027' },
    { name: 'COST', value: '5$ $$$$ $$$$$$' },
    { name: 'URL', value: 'https://$(POD_NAME)/$$(POD_NAME)' },
    { name: 'REASONED', value: 'pa$$$$word' },
  ]);
});
