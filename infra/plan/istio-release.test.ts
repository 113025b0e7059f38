import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseManifests, renderIstioReleases } from './istio-release.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { problemOf } from '../testing/problems.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function program(script: string): string {
  const file = join(folder, `istioctl-${script.length}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
const operator: KubeObject = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  metadata: { name: 'istiod-of-east' },
};

describe('renderIstioReleases', () => {
  test('gives istioctl the operator on its standard input and labels what it renders', async () => {
    const istioctl = program(`[ "$*" = 'manifest generate -f -' ] || exit 3
name=$(sed -n 's/^  name: //p')
printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: %s\\n  labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/part-of: istio, a: b}\\n---\\n' "$name"`);
    expect(await renderIstioReleases(istioctl, [operator], 'shop')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {
          name: 'istiod-of-east',
          labels: {
            'app.kubernetes.io/managed-by': 'meshwright',
            'app.kubernetes.io/part-of': 'shop',
            a: 'b',
          },
        },
      },
    ]);
  });

  test('renders control planes side by side, and refuses what two of them bring', async () => {
    const istioctl = program(`name=$(sed -n 's/^  name: //p')
for one in "$name" shared; do printf -- '---\\napiVersion: v1\\nkind: ServiceAccount\\nmetadata: {name: %s}\\n' "$one"; done`);
    const canary = { ...operator, metadata: { name: 'canary' } };
    expect(await problemOf(renderIstioReleases(istioctl, [operator, canary], 'shop'))).toEqual({
      exitCode: 2,
      message: 'ServiceAccount shared: is rendered by two of the control planes',
    });
    const alone = program(
      `printf 'apiVersion: v1\\nkind: ServiceAccount\\nmetadata: {name: %s}' "$(sed -n 's/^  name: //p')"`,
    );
    const names = (await renderIstioReleases(alone, [operator, canary], 'shop')).map(
      ({ metadata }) => metadata.name,
    );
    expect(names).toEqual(['istiod-of-east', 'canary']);
  });

  test('repeats what istioctl says against the operator', async () => {
    const istioctl = program(`echo 'Error: unknown field "cnii" in v1alpha1.IstioComponentSpec' >&2; exit 1`);
    expect(await problemOf(renderIstioReleases(istioctl, [operator], 'shop'))).toEqual({
      exitCode: 1,
      message: `${istioctl} manifest generate -f -: ended with exit code 1: Error: unknown field "cnii" in v1alpha1.IstioComponentSpec`,
    });
  });

  test('a missing istioctl', async () => {
    const istioctl = join(folder, 'none');
    expect(await problemOf(renderIstioReleases(istioctl, [operator], 'shop'))).toEqual({
      exitCode: 2,
      message: `istioctl: the program does not exist; received "${istioctl}"; fix: name an istioctl of the Istio version in use`,
    });
  });
});

test('parseManifests leaves out empty documents and what only a server writes', () => {
  const yaml = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, creationTimestamp: null}
spec: {replicas: 1}
status: {}
---
---
{}
`;
  expect(parseManifests(yaml)).toEqual([
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' }, spec: { replicas: 1 } },
  ]);
});
