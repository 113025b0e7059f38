import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { containerdConfig, cniConfig, corefile, kubeletConfig } from './config-files.ts';
import { daemonsOf } from './daemons.ts';
import type { NodeSpec } from './spec.ts';

const east: NodeSpec = {
  name: 'east',
  region: 'region-1',
  zone: 'region-1a',
  address: '172.29.0.2',
  loadBalancers: [],
  pods: '10.40.0.0/16',
  services: '10.41.0.0/16',
  folder: '/state/east',
  logs: '/state/logs/east',
  programs: ['/tools/bin'],
  cniPlugins: '/usr/lib/cni',
  pauseImage: 'localhost/meshwright/pause:1',
  cgroupRoot: '/meshwright-east',
};

test("the lab's CoreDNS is built with the plugins of its Corefile, and no others", () => {
  const main = readFileSync(join(import.meta.dirname, '../../toolchain/coredns/main.go'), 'utf8');
  const plugins = [...main.matchAll(/coredns\/plugin\/(\w+)"/g)].map(([, plugin]) => plugin);
  const text = corefile(east);
  // A directive of a server block stands two spaces in; what it takes stands further in.
  const directives = [...text.matchAll(/^ {2}(\w+)/gm)].map(([, directive]) => directive);
  expect([...new Set(directives)].toSorted()).toEqual(plugins.toSorted());
});

test("no daemon is told what the machine's folders are called", () => {
  const told = (spec: NodeSpec) => [
    ...[corefile, containerdConfig, cniConfig, kubeletConfig].map((make) => make(spec)),
    ...daemonsOf(spec).flatMap(({ name, args }) => [name, ...args]),
  ];
  const folder = fc.string({ unit: 'binary', maxLength: 20 }).map((name) => `/${name}`);
  fc.assert(
    fc.property(folder, folder, fc.array(folder), (state, logs, programs) => {
      expect(told({ ...east, folder: state, logs, programs })).toEqual(told(east));
    }),
  );
});
