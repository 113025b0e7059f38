import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStackFile } from './stack-file.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'stack-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});
const write = (content: string) => {
  writeFileSync(join(root, 'Pulumi.prod.yaml'), content);
};

describe('a stack file', () => {
  test("gives the project's values, and leaves those of others alone", () => {
    write(
      'secretsprovider: awskms://alias/mesh\nconfig:\n  aws:region: eu-west-1\n  meshwright:trust: { generation: 2, phase: re-issue }\n',
    );
    expect(readStackFile(root, 'prod', { trustDir: '/trust' })).toMatchObject({
      access: {},
      trustDir: '/trust',
      trust: { generation: 2, phase: 're-issue', intermediate: 1 },
    });
  });

  test('may be empty', () => {
    write('');
    expect(readStackFile(root, 'prod').trust).toEqual({ generation: 1, intermediate: 1 });
  });

  test.each([
    [
      'prd',
      '',
      '--stack: there is no Pulumi.prd.yaml; received "prd"; allowed prod; fix: did you mean prod?',
    ],
    [
      'staging',
      '',
      '--stack: there is no Pulumi.staging.yaml; received "staging"; allowed prod; fix: write Pulumi.staging.yaml, after the example of Pulumi.prod.yaml',
    ],
    ['prod', 'config: {', 'Pulumi.prod.yaml: is not valid YAML'],
    [
      'prod',
      'config: [1]',
      'Pulumi.prod.yaml: config: is not a mapping; allowed keys such as meshwright:trust',
    ],
    [
      'prod',
      'config: { "meshwright:trsut": 1 }',
      'Pulumi.prod.yaml: trsut: is not a known key; allowed clusters, istioctl, trustDir, trust, remoteAccess, values, labImages; fix: did you mean trust?',
    ],
  ])('%s: %s', (stack, content, message) => {
    write(content);
    expect(() => readStackFile(root, stack)).toThrow(new Error(message));
  });
});
