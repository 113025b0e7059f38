import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { corefile } from './config-files.ts';

test("the lab's CoreDNS is built with the plugins of its Corefile, and no others", () => {
  const main = readFileSync(join(import.meta.dirname, '../../toolchain/coredns/main.go'), 'utf8');
  const plugins = [...main.matchAll(/coredns\/plugin\/(\w+)"/g)].map(([, plugin]) => plugin);
  const text = corefile({
    name: 'east',
    region: 'region-1',
    zone: 'region-1a',
    address: '172.29.0.2',
    loadBalancers: [],
    pods: '10.40.0.0/16',
    services: '10.41.0.0/16',
    folder: '/state/east',
    logs: '/state/logs/east',
    path: '/tools/bin',
    cniPlugins: '/usr/lib/cni',
    pauseImage: 'localhost/meshwright/pause:1',
    cgroupRoot: '/meshwright-east',
  });
  // A directive of a server block stands two spaces in; what it takes stands further in.
  const directives = [...text.matchAll(/^ {2}(\w+)/gm)].map(([, directive]) => directive);
  expect([...new Set(directives)].toSorted()).toEqual(plugins.toSorted());
});
