import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { KubeApi } from '../testing/kube-api.ts';
import { problemOf } from '../testing/problems.ts';

let api: KubeApi;
beforeAll(async () => {
  api = await KubeApi.start('east');
});
afterAll(() => api.stop());
afterEach(() => {
  api.intervene = () => undefined;
  api.requests.length = 0;
});

/** Answers the first requests with a status each, then lets the rest through. */
function failFirst(...statuses: readonly number[]): void {
  const left = [...statuses];
  api.intervene = () => {
    const status = left.shift();
    return status === undefined ? undefined : { status, body: { message: `status ${status}` } };
  };
}

describe('request', () => {
  test('is sent again after an overloaded, broken or restarting server has recovered', async () => {
    failFirst(429, 500, 503);
    expect(await api.client.request('GET', '/version')).toHaveProperty('gitVersion');
    expect(api.requests).toHaveLength(4);
  });

  test('is given up when its limit has passed', async () => {
    api.intervene = () => ({ status: 503, body: { message: 'the server is shutting down' } });
    expect(await problemOf(api.client.request('GET', '/version', { retryMs: 3_000 }))).toEqual({
      exitCode: 1,
      message: 'cluster east: its API server refused GET /version: the server is shutting down',
    });
    expect(api.requests.length).toBeGreaterThan(1);
  });

  test('is not sent again when it was refused', async () => {
    failFirst(403);
    expect(await problemOf(api.client.request('GET', '/version'))).toEqual({
      exitCode: 1,
      message: 'cluster east: its API server refused GET /version: status 403',
    });
    expect(api.requests).toHaveLength(1);
  });

  test('ends at once when its signal is aborted', async () => {
    api.intervene = () => ({ status: 503, body: {} });
    const controller = new AbortController();
    const work = api.client.request('GET', '/version', { signal: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 100);
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
  });
});
