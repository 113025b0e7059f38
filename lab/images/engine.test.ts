import { describe, expect, test } from '@jest/globals';
import { buildah, docker } from './engine.ts';

const request = {
  context: '/s/catalog',
  reference: 'localhost/x/catalog:1',
  archive: '/out/image.tar',
  base: { reference: 'localhost/x/base:24', archive: '/cache/base/image.tar' },
};
const lines = (steps: readonly (readonly string[])[]) => steps.map((step) => step.join(' '));

describe('buildah', () => {
  const storage = '--storage-driver vfs --root /s/storage --runroot /s/run';

  test('builds on the base archive, in its own storage, reproducibly', () => {
    expect(lines(buildah('/s').steps(request))).toEqual([
      `buildah ${storage} pull --quiet docker-archive:/cache/base/image.tar`,
      `buildah ${storage} build --isolation chroot --layers=false --identity-label=false --timestamp 0 --pull-never --format oci --file /s/catalog/Containerfile --tag localhost/x/catalog:1 /s/catalog`,
      `buildah ${storage} push --quiet localhost/x/catalog:1 docker-archive:/out/image.tar:localhost/x/catalog:1`,
      `buildah ${storage} rmi --force localhost/x/catalog:1`,
    ]);
  });

  test('pulls nothing for an image from nothing', () => {
    const { context, reference, archive } = request;
    const alone = { context, reference, archive };
    expect(lines(buildah('/s').steps(alone))[0]).toContain(' build ');
  });
});

test('docker reads the same Containerfile and base', () => {
  expect(lines(docker.steps(request))).toEqual([
    'docker load --quiet --input /cache/base/image.tar',
    'docker build --file /s/catalog/Containerfile --tag localhost/x/catalog:1 /s/catalog',
    'docker save --output /out/image.tar localhost/x/catalog:1',
  ]);
});
