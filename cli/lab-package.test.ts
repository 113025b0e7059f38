import { expect, test } from '@jest/globals';
import { findLab, isMissing } from './lab-package.ts';

const importOf = (name: string): Promise<unknown> => import(name).catch((error: unknown) => error);

test('only the lab that is not installed is missing, not a package that it needs', async () => {
  expect(isMissing(await importOf('@meshwright/lab'))).toBe(true);
  expect(isMissing(await importOf('@meshwright/labs'))).toBe(false);
  expect(isMissing(await importOf('zod/nothing'))).toBe(false);
  expect(isMissing(new Error("Cannot find package '@meshwright/lab'"))).toBe(false);
});

test('a checkout has the lab', async () => {
  expect(await findLab()).toMatchObject({ labUp: expect.any(Function), labDown: expect.any(Function) });
});
