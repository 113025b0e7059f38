import { expect, test } from '@jest/globals';
import { parsePrintedUris } from './debian.ts';

test('reads what apt-get would download', () => {
  const printed = `'https://deb.example/pool/main/g/gcc-12/libstdc%2b%2b6_12.2.0-14%2bdeb12u1_amd64.deb' libstdc++6_12.2.0-14+deb12u1_amd64.deb 612604 SHA256:5cd3
'https://deb.example/pool/main/g/glibc/libc6_2.36-9%2bdeb12u14_amd64.deb' libc6_2.36-9+deb12u14_amd64.deb 2759320 SHA256:ba4f
E: some remark
`;
  expect([...parsePrintedUris(printed).values()]).toEqual([
    { name: 'libstdc++6', file: 'libstdc++6_12.2.0-14+deb12u1_amd64.deb', hash: 'SHA256:5cd3' },
    { name: 'libc6', file: 'libc6_2.36-9+deb12u14_amd64.deb', hash: 'SHA256:ba4f' },
  ]);
});
