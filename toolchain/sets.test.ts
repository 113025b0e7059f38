import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { istioVersion, linkerFlags, readGoMod, requiredVersion, toolSets } from './sets.ts';

const root = join(import.meta.dirname, '..');

/** Import paths of a go.mod's tool directives, of either form. */
function toolsOf(goMod: string): readonly string[] {
  const block = /^tool \(([^)]*)\)/m.exec(goMod)?.[1]?.trim().split(/\s+/) ?? [];
  return [...block, ...[...goMod.matchAll(/^tool ([^\s(]+)$/gm)].map(([, path]) => path ?? '')];
}

describe.each(['etcd', 'kubernetes', 'containerd', 'coredns', 'istio'] as const)('%s', (name) => {
  const set = toolSets[name];
  const goMod = readGoMod(root, name);
  const renamed: Record<string, string> = 'renamed' in set ? set.renamed : {};

  test('has the programs that its go.mod builds', () => {
    const built = toolsOf(goMod)
      .map(
        (path) =>
          path
            .replace(/\/v\d+$/, '')
            .split('/')
            .at(-1) ?? '',
      )
      .map((program) => renamed[program] ?? program);
    expect(built.toSorted()).toEqual(set.programs.toSorted());
  });

  test('pins its main module', () => {
    expect(requiredVersion(goMod, set.module)).toMatch(/^v\d+\.\d+\.\d+/);
  });
});

test('Kubernetes tells the version that its go.mod pins', () => {
  const goMod = 'module x\n\nrequire k8s.io/kubernetes v1.36.3\n';
  expect(linkerFlags(toolSets.kubernetes, goMod)).toBe(
    '-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36',
  );
});

test('Istio tells its commit', () => {
  const goMod = 'require (\n\tistio.io/istio v0.0.0-20260827124520-eed52ebb66ad // indirect\n)\n';
  expect(linkerFlags(toolSets.istio, goMod)).toBe(
    '-s -w -X istio.io/istio/pkg/version.buildVersion=1.31-dev.eed52ebb66ad -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad -X istio.io/istio/pkg/version.buildTag=1.31-dev.eed52ebb66ad -X istio.io/istio/pkg/version.buildStatus=Clean',
  );
  expect(istioVersion(root)).toMatch(/^1\.31-dev\.[0-9a-f]{12}$/);
});

test('a module that is not required is an error', () => {
  expect(() => requiredVersion('require k8s.io/api v0.36.3\n', 'k8s.io/kubernetes')).toThrow(
    'go.mod: k8s.io/kubernetes is not required',
  );
});
