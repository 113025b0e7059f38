import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import * as pulumi from '@pulumi/pulumi';
import { stackEnvironment } from './stack-environment.ts';

const declared = ['lab', 'prod'] as const;
const inStack = async (stack: string) => {
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => inputs as Record<string, unknown>,
      newResource: ({ name, inputs }) => ({ id: name, state: inputs as Record<string, unknown> }),
    },
    'meshwright',
    stack,
  );
};

describe('the environment of a stack', () => {
  const before = process.env['MESHWRIGHT_ENVIRONMENT'];
  const restore = () => {
    if (before === undefined) delete process.env['MESHWRIGHT_ENVIRONMENT'];
    else process.env['MESHWRIGHT_ENVIRONMENT'] = before;
  };
  beforeEach(() => {
    delete process.env['MESHWRIGHT_ENVIRONMENT'];
  });
  afterEach(restore);

  test('is the one of its name', async () => {
    await inStack('prod');
    expect(stackEnvironment(declared)).toBe('prod');
  });

  test('is what up says, of a stack that is named after the mesh', async () => {
    await inStack('shop');
    process.env['MESHWRIGHT_ENVIRONMENT'] = 'lab';
    expect(stackEnvironment(declared)).toBe('lab');
  });

  test.each(['lab', 'nowhere'])(
    'is not %s, which a shell says, of a stack that has its own',
    async (said) => {
      await inStack('prod');
      process.env['MESHWRIGHT_ENVIRONMENT'] = said;
      expect(() => stackEnvironment(declared)).toThrow(
        new Error(
          `MESHWRIGHT_ENVIRONMENT: names another environment than stack prod, which has one of its own name: it would be brought up in the clusters of prod; received "${said}"; allowed prod; fix: unset MESHWRIGHT_ENVIRONMENT`,
        ),
      );
      process.env['MESHWRIGHT_ENVIRONMENT'] = 'prod';
      expect(stackEnvironment(declared)).toBe('prod');
    },
  );

  test('is refused where none is declared', async () => {
    await inStack('pord');
    expect(() => stackEnvironment(declared)).toThrow(
      new Error(
        'stack pord: mesh.ts declares no environment of this name; received "pord"; allowed lab, prod; fix: did you mean prod?',
      ),
    );
  });
});
