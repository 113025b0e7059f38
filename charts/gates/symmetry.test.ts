import { describe, expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import { problemsWith } from '../testing/custom.ts';
import type { Differs } from '../model/rendered.ts';

const service = (port: number): { spec: k8s.ServiceSpec } => ({
  spec: { ports: [{ name: 'grpc', port }] },
});
const metadata = { name: 'x', namespace: 'shop' };
const fix = 'fix: render the same in every cluster, or declare with `differs` what differs, and why';

describe('a difference that nobody declared', () => {
  test('in content: the object, the clusters and the first fields', () => {
    const found = problemsWith((into) => {
      const port = into.cluster.name === 'east' ? 50051 : 50052;
      into.add('40-services', k8s.KubeService, metadata, service(port));
    });
    expect(found).toEqual([
      `demo/custom: Service shop/x differs between east and west in spec > ports > grpc > port; ${fix}`,
    ]);
  });

  test('in many fields: the first three, and how many more', () => {
    const found = problemsWith((into) => {
      const data = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((key) => [key, into.cluster.name]));
      into.add('40-services', k8s.KubeConfigMap, metadata, { data });
    });
    expect(found).toEqual([
      `demo/custom: ConfigMap shop/x differs between east and west in data > a, data > b, data > c, and 2 more; ${fix}`,
    ]);
  });

  test('in the length of a list', () => {
    const found = problemsWith((into) => {
      into.addIstio('40-services', 'demo/custom', 'AuthorizationPolicy', metadata, {
        ...(into.cluster.name === 'east' && {
          rules: [{ from: [{ source: { ipBlocks: ['10.0.0.1/32'] } }] }],
        }),
      });
    });
    expect(found).toEqual([
      `demo/custom: AuthorizationPolicy shop/x differs between east and west in spec > rules; ${fix}`,
    ]);
  });

  test('in being there at all', () => {
    const found = problemsWith((into) => {
      if (into.cluster.name === 'east') into.add('40-services', k8s.KubeService, metadata, service(50051));
    });
    expect(found).toEqual([
      'demo/custom: Service shop/x is missing in west; received ["east"]; allowed east, west; ' +
        'fix: add it in every cluster, or declare with `differs` which clusters have it, and why',
    ]);
  });
});

describe('a declared difference', () => {
  const withDiffers = (differs: Differs, add: (cluster: string) => Record<string, string> | undefined) =>
    problemsWith((into) => {
      const data = add(into.cluster.name);
      if (data !== undefined) into.add('40-services', k8s.KubeConfigMap, { ...metadata, differs }, { data });
    });
  const because = 'each region has its own';

  test('of a field is accepted, and of that field only', () => {
    const paths = [['data', 'region']];
    expect(withDiffers({ because, paths }, (cluster) => ({ region: cluster }))).toEqual([]);
    expect(withDiffers({ because, paths }, (cluster) => ({ region: cluster, zone: cluster }))).toEqual([
      `demo/custom: ConfigMap shop/x differs between east and west in data > zone; ${fix}`,
    ]);
  });

  test('of the clusters it stands in is accepted, and those only', () => {
    const clusters = ['west'];
    const east = { region: 'e' };
    expect(withDiffers({ because, clusters }, (cluster) => (cluster === 'west' ? {} : undefined))).toEqual(
      [],
    );
    expect(withDiffers({ because, clusters }, () => east)).toEqual([
      'demo/custom: ConfigMap shop/x is in east, which its `differs` does not list; received ["east","west"]; ' +
        'allowed west; fix: add it only there, or name the cluster in `differs`',
    ]);
  });
});
