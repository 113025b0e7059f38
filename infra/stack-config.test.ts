import { describe, expect, test } from '@jest/globals';
import { readConfig, writeConfig } from './stack-config.ts';

const access = { kubeconfig: '/k', context: 'c' };
const config = { access: { east: access, west: access }, istioctl: '/bin/istioctl', trustDir: '/trust' };
const read = (values: Readonly<Record<string, string>>) => readConfig((key) => values[key], ['east', 'west']);
const rest =
  "allowed an object {NAME: {kubeconfig, context}} with the mesh's clusters; fix: pulumi config set --path 'clusters.east.context' CONTEXT (and .kubeconfig FILE)";

describe('stack configuration', () => {
  test('is read as it was written', () => {
    expect(read(writeConfig(config))).toEqual(config);
  });

  test('has defaults for all but the clusters', () => {
    const { istioctl, trustDir } = read({ clusters: JSON.stringify(config.access) });
    expect([istioctl, trustDir]).toEqual(['istioctl', '.meshwright/trust']);
  });

  test.each([
    [{}, `stack configuration: clusters: is missing; ${rest}`],
    [
      { clusters: '{"east":' },
      `stack configuration: clusters: invalid input: expected record, received undefined; ${rest}`,
    ],
    [
      { clusters: JSON.stringify({ east: { kubeconfig: '/k' }, west: access }) },
      `stack configuration: clusters.east.context: invalid input: expected string, received undefined; ${rest}`,
    ],
    [
      { clusters: JSON.stringify({ east: access }) },
      `stack configuration: clusters.west: is missing; ${rest}`,
    ],
  ])('%j', (values, message) => {
    expect(() => read(values)).toThrow(message);
  });
});
