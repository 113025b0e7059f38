import { describe, expect, test } from '@jest/globals';
import { appImage, buildApp } from './app-image.ts';
import { digestOf } from './oci.ts';

const config = {
  name: 'catalog',
  image: { version: '1.2.0', title: 'Catalog', description: 'Products', nodeOptions: [] as string[] },
  ports: { grpc: 50051, http: 8080 },
  httpGateway: true,
};
const base = {
  platform: 'linux/amd64',
  layer: {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf('compressed'),
    size: 10,
    diffId: digestOf('plain'),
  },
};
const project = { license: 'Apache-2.0', source: 'https://git.example/shop' };
const image = (code: string, changed: Partial<typeof config> = {}) =>
  buildApp(appImage({ ...config, ...changed }, { code }, project), base);
const built = image('run()');

test('an app runs its bundle on Node as an ES module, not as root', () => {
  expect(JSON.parse(Buffer.from(built.config).toString())).toEqual({
    created: '1970-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '65532:65532',
      ExposedPorts: { '50051/tcp': {} },
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      Entrypoint: ['/usr/bin/node', '/app/main.js'],
      WorkingDir: '/app',
      Labels: {
        'org.opencontainers.image.description': 'Products',
        'org.opencontainers.image.licenses': 'Apache-2.0',
        'org.opencontainers.image.source': 'https://git.example/shop',
        'org.opencontainers.image.title': 'Catalog',
        'org.opencontainers.image.version': '1.2.0',
      },
    },
    rootfs: { type: 'layers', diff_ids: [base.layer.diffId, built.layer.diffId] },
    history: [
      { created: '1970-01-01T00:00:00Z', created_by: 'meshwright: base' },
      { created: '1970-01-01T00:00:00Z', created_by: 'meshwright: catalog' },
    ],
  });
});

test('its manifest names the layers as a registry stores them; tag and digest are of its content', () => {
  const { mediaType, digest, size } = base.layer;
  expect(JSON.parse(Buffer.from(built.manifest).toString())).toMatchObject({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { digest: built.id, size: built.config.length },
    layers: [
      { mediaType, digest, size },
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: digestOf(built.archive),
        size: built.archive.length,
      },
    ],
    annotations: { 'org.opencontainers.image.version': '1.2.0' },
  });
  expect(built.digest).toBe(digestOf(built.manifest));
  expect(built.tag).toBe(`1.2.0-${built.id.slice(7, 19)}`);
});

test('an app listens on its own HTTP port unless a gateway container has it', () => {
  expect(appImage(config, { code: '' }, {}).ports).toEqual([50051]);
  expect(appImage({ ...config, httpGateway: false }, { code: '' }, {}).ports).toEqual([50051, 8080]);
});

test('Node starts with the options of config.yml', () => {
  const nodeOptions = ['--max-semi-space-size=4'];
  expect(
    appImage({ ...config, image: { ...config.image, nodeOptions } }, { code: '' }, {}).entrypoint,
  ).toEqual(['/usr/bin/node', '--max-semi-space-size=4', '/app/main.js']);
});

describe('tag and digest', () => {
  test('are the same for the same bundle, config.yml and base', () => {
    const again = image('run()');
    expect([again.tag, again.digest]).toEqual([built.tag, built.digest]);
  });

  test.each([
    ['the bundle', image('run(1)')],
    ['a label', image('run()', { image: { ...config.image, title: 'Goods' } })],
    ['an option of Node', image('run()', { image: { ...config.image, nodeOptions: ['--expose-gc'] } })],
    ['a port', image('run()', { httpGateway: false })],
    [
      'the base',
      buildApp(appImage(config, { code: 'run()' }, project), {
        ...base,
        layer: { ...base.layer, diffId: digestOf('other') },
      }),
    ],
  ])('change with %s', (_, other) => {
    expect(other.tag).not.toBe(built.tag);
    expect(other.digest).not.toBe(built.digest);
  });
});
