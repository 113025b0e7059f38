import { expect, test } from '@jest/globals';
import { synthesize } from '../../synth.ts';
import { catalogIn, objectOf, twoClusters } from '../../testing/mesh.ts';
import { withProject } from '../../testing/project.ts';

test('calls that a gRPC server refused unseen are made again at each port that one listens on, in every cluster', () => {
  const rendered = withProject({}, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'), { placement: ['west'] });
    catalogIn(mesh.namespace('outlet'));
    return synthesize(mesh);
  });
  for (const cluster of ['east', 'west']) {
    const filter = objectOf(rendered, cluster, 'EnvoyFilter', 'refused-calls');
    // In the root namespace: for every workload.
    expect(filter).toMatchObject({ metadata: { namespace: 'istio-system' } });
    // Nothing but the refusals that HTTP/2 has for calls a server did not look at.
    expect(filter).toMatchObject({
      spec: {
        configPatches: [
          {
            applyTo: 'HTTP_ROUTE',
            match: { context: 'SIDECAR_INBOUND', routeConfiguration: { name: 'inbound|50051||' } },
            patch: {
              operation: 'MERGE',
              value: { route: { retry_policy: { retry_on: 'refused-stream', num_retries: 2 } } },
            },
          },
        ],
      },
    });
  }
});

test('a mesh without gRPC servers has no such rule', () => {
  const rendered = synthesize(twoClusters('.'));
  expect(objectOf(rendered, 'east', 'EnvoyFilter', 'refused-calls')).toBeUndefined();
});
