import { expect, test } from '@jest/globals';
import { availableMemory } from './memory.ts';

test("memory is the container's limit, or without one the machine's", () => {
  expect(availableMemory(256 * 2 ** 20, 2 ** 34)).toBe(256 * 2 ** 20);
  expect(availableMemory(0, 2 ** 30)).toBe(2 ** 30);
  expect(availableMemory(2 ** 64, 2 ** 30)).toBe(2 ** 30);
  expect(availableMemory()).toBeGreaterThan(2 ** 20);
});
