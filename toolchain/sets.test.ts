import { expect, test } from '@jest/globals';
import {
  fileNameOf,
  istioVersion,
  linkerFlags,
  readGoMod,
  requiredVersion,
  toolSets,
  totalEffort,
} from './sets.ts';

const goMod = readGoMod();
const goSets = Object.values(toolSets).filter((set) => set.source === 'go');

test('go.mod names as tools the packages of all programs that are not our own', () => {
  const tools = /^tool \(([^)]*)\)/m.exec(goMod)?.[1]?.trim().split(/\s+/);
  const packages = goSets.flatMap((set) => Object.values<string>(set.programs));
  expect(tools?.toSorted()).toEqual(packages.filter((name) => !name.startsWith('./')).toSorted());
});

test.each(goSets.map((set) => set.module))('go.mod pins %s', (module) => {
  expect(requiredVersion(goMod, module)).toMatch(/^v\d+\.\d+\.\d+/);
});

test('every library of Kubernetes has the version of Kubernetes', () => {
  const version = requiredVersion(goMod, 'k8s.io/kubernetes').replace(/^v1\./, 'v0.');
  const replaced = [...goMod.matchAll(/^\t(k8s\.io\/\S+) => (\S+) (\S+)$/gm)].map((match) => match.slice(1));
  expect(replaced.length).toBeGreaterThan(30);
  expect(replaced).toEqual(replaced.map(([name]) => [name, name, version]));
});

test('programs tell the versions that go.mod pins', () => {
  expect(
    linkerFlags(
      'module x\n\nrequire (\n\tistio.io/istio v0.0.0-20260827124520-eed52ebb66ad\n\tk8s.io/kubernetes v1.36.3\n)\n',
    ),
  ).toBe(
    '-s -w' +
      ' -X k8s.io/component-base/version.gitVersion=v1.36.3' +
      ' -X k8s.io/component-base/version.gitMajor=1' +
      ' -X k8s.io/component-base/version.gitMinor=36' +
      ' -X istio.io/istio/pkg/version.buildVersion=1.31-dev.eed52ebb66ad' +
      ' -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad' +
      ' -X istio.io/istio/pkg/version.buildTag=1.31-dev.eed52ebb66ad' +
      ' -X istio.io/istio/pkg/version.buildStatus=Clean',
  );
  expect(istioVersion()).toMatch(/^1\.31-dev\.[0-9a-f]{12}$/);
});

test.each([
  ['go.etcd.io/etcd/server/v3', 'server'],
  ['k8s.io/kubernetes/cmd/kubectl', 'kubectl'],
  ['./coredns', 'coredns'],
])('go build names the program of %s %s', (importPath, name) => {
  expect(fileNameOf(importPath)).toBe(name);
});

test('all sets at once take less than the sum of each alone, one takes what it takes', () => {
  const all = totalEffort(['etcd', 'kubernetes', 'containerd', 'coredns', 'istio']);
  const sum = goSets.reduce((total, { effort }) => total + effort.minutes, 0);
  expect(all.minutes).toBeLessThan(sum);
  expect(totalEffort(['istio'])).toEqual(toolSets.istio.effort);
});

test('a module that is not required is an error', () => {
  expect(() => requiredVersion('require k8s.io/api v0.36.3\n', 'k8s.io/kubernetes')).toThrow(
    'go.mod: k8s.io/kubernetes is not required',
  );
});
