import { describe, expect, test } from '@jest/globals';
import { ProblemsError } from '../core/problem.ts';
import { StaleIndexError, parsePrintedUris, retryWithFreshIndex } from './debian.ts';

test('reads what apt-get would download', () => {
  const printed = `'https://deb.example/pool/main/g/gcc-12/libstdc%2b%2b6_12.2.0-14%2bdeb12u1_amd64.deb' libstdc++6_12.2.0-14+deb12u1_amd64.deb 612604 SHA256:5cd3
'https://deb.example/pool/main/g/glibc/libc6_2.36-9%2bdeb12u14_amd64.deb' libc6_2.36-9+deb12u14_amd64.deb 2759320 SHA256:ba4f
E: some remark
`;
  expect([...parsePrintedUris(printed).values()]).toEqual([
    { name: 'libstdc++6', file: 'libstdc++6_12.2.0-14+deb12u1_amd64.deb', hash: 'SHA256:5cd3' },
    { name: 'libc6', file: 'libc6_2.36-9+deb12u14_amd64.deb', hash: 'SHA256:ba4f' },
  ]);
});

describe('retryWithFreshIndex', () => {
  const gone = new StaleIndexError([{ where: 'libc6', what: '404 Not Found' }], 1);

  /** Does what fails as listed, and tells what was done. */
  async function attempt(failures: readonly Error[]): Promise<readonly string[]> {
    const done: string[] = [];
    const left = [...failures];
    const action = () => {
      const failure = left.shift();
      done.push(failure?.message ?? 'built');
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    };
    const refresh = () => Promise.resolve(void done.push('refreshed'));
    await retryWithFreshIndex(action, refresh).catch((error: unknown) => done.push(`threw ${String(error)}`));
    return done;
  }

  test('refreshes a stale index, once', async () => {
    expect(await attempt([])).toEqual(['built']);
    expect(await attempt([gone])).toEqual(['libc6: 404 Not Found', 'refreshed', 'built']);
    expect(await attempt([gone, gone])).toEqual([
      'libc6: 404 Not Found',
      'refreshed',
      'libc6: 404 Not Found',
      'threw ProblemsError: libc6: 404 Not Found',
    ]);
  });

  test('does not help against another failure', async () => {
    const failure = new ProblemsError([{ where: 'dpkg-deb', what: 'ended' }], 1);
    expect(await attempt([failure])).toEqual(['dpkg-deb: ended', 'threw ProblemsError: dpkg-deb: ended']);
  });
});
