import { expect, test } from '@jest/globals';
import { digestName, parseImageList } from './node-images.ts';

test('reads the table of ctr', () => {
  const table = `REF                              TYPE                                                 DIGEST                  SIZE      PLATFORMS   LABELS
localhost/meshwright/catalog:1-a application/vnd.docker.distribution.manifest.v2+json sha256:aa               129.3 MiB linux/amd64 io.cri-containerd.image=managed
sha256:cc                        application/vnd.docker.distribution.manifest.v2+json sha256:aa               129.3 MiB linux/amd64 io.cri-containerd.image=managed

`;
  expect([...parseImageList(table)]).toEqual([
    ['localhost/meshwright/catalog:1-a', 'sha256:aa'],
    ['sha256:cc', 'sha256:aa'],
  ]);
});

test('what is asked for by tag and digest is looked up by digest alone', () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  expect(digestName('localhost:5000/x/catalog:1.0.0', digest)).toBe(`localhost:5000/x/catalog@${digest}`);
});
