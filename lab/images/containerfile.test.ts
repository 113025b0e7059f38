import { expect, test } from '@jest/globals';
import { renderContainerfile } from './containerfile.ts';

test('renders an image from nothing', () => {
  expect(renderContainerfile('localhost/x', { name: 'base', tag: '1', packages: ['libc6'] })).toBe(
    'FROM scratch\nCOPY rootfs/ /\n',
  );
});

test('renders an image on a base, with all there is to say', () => {
  const containerfile = renderContainerfile('localhost/x', {
    name: 'catalog',
    tag: '1.0.0',
    base: { name: 'base', tag: '24' },
    user: '65532:65532',
    workingDirectory: '/app',
    entrypoint: ['/usr/bin/node', '/app/main.js'],
    command: ['--verbose'],
    environment: { PATH: '/usr/bin:/bin' },
    ports: [50051, 8080],
    labels: { 'org.opencontainers.image.title': 'Catalog' },
  });
  expect(containerfile).toBe(`FROM localhost/x/base:24
COPY rootfs/ /
LABEL org.opencontainers.image.title="Catalog"
ENV PATH="/usr/bin:/bin"
EXPOSE 50051/tcp
EXPOSE 8080/tcp
WORKDIR /app
USER 65532:65532
ENTRYPOINT ["/usr/bin/node","/app/main.js"]
CMD ["--verbose"]
`);
});

test('keeps a value on its line, and nothing in it has a meaning', () => {
  const labels = { text: ' It\'s "$5" \\ more:\n  ${HOME}\n' };
  expect(renderContainerfile('h', { name: 'a', tag: '1', labels })).toBe(
    'FROM scratch\nCOPY rootfs/ /\nLABEL text="It\'s \\"\\$5\\" \\\\ more: \\${HOME}"\n',
  );
});
