// Jobs and CronJobs that call a service in the other cluster by an identity of their own: ones that end well, at the second try, without the grant, and
// too late.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { thisWorkspace } from '../../cli/workspace/workspace.ts';
import { waitFor } from '../../core/wait.ts';
import { writePythonServer } from '../peers/python-server.ts';
import { ensureLab, kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { image, jobsIn, jobsProject, podsOf, type Ended } from './meshes/jobs.ts';

const minute = 60_000;
jest.setTimeout(5 * minute);

const project = jobsProject();
let brought: Awaited<ReturnType<typeof project.run>>;

beforeAll(async () => {
  await ensureLab();
  await writePythonServer(join(project.folder, 'python.tar'), {
    ...thisWorkspace(),
    report: () => undefined,
  });
  project.bring({ [image]: 'python.tar' });
  brought = await project.run('up', '--engine', 'apply');
}, 60 * minute);

afterAll(() => {
  project.remove();
});

/** That a pod has ended well, and its proxy with it. */
function expectDone(pod: Ended | undefined): void {
  expect(pod?.status.phase).toBe('Succeeded');
  const proxy = pod?.status.initContainerStatuses.find(({ name }) => name === 'istio-proxy');
  expect(proxy?.state.terminated).toBeDefined();
}

const log = (pod: Ended | undefined, container: string) =>
  kubectl('east', '-n', 'shop', 'logs', pod?.metadata.name ?? '', '-c', container);

test('up brings it up, waits for its Jobs, and proves by calls in their names that they get there', () => {
  expect(brought).toMatchObject({ code: 0 });
  expect(brought.stdout).toContain('import in east gets to python');
  expect(brought.stdout).toContain('report in east gets to python');
});

test('a Job has called the service in the other cluster, and ended, and so has its proxy', () => {
  const pods = podsOf('east', 'import');
  expect(pods).toHaveLength(1);
  expectDone(pods[0]);
  expect(log(pods[0], 'import')).toBe('answered\n');
  expect(podsOf('west', 'import')).toEqual([]);
});

test('one that failed at first was tried again', () => {
  const pods = podsOf('east', 'retried');
  expect(pods).toHaveLength(1);
  expectDone(pods[0]);
  expect(pods[0]?.status.containerStatuses[0]?.restartCount).toBe(1);
  expect(log(pods[0], 'retried')).toBe('at the second try\n');
});

test('a run of a CronJob calls the service, and ends', async () => {
  kubectl('east', '-n', 'shop', 'create', 'job', 'report-now', '--from=cronjob/report');
  const limits = { what: 'the run of report in east', timeoutMs: minute };
  const pod = await waitFor(limits, () => {
    const [seen] = podsOf('east', 'report');
    return seen?.status.phase === 'Succeeded'
      ? { done: true, value: seen }
      : { done: false, because: `its pod is ${seen?.status.phase ?? 'not there'}` };
  });
  expectDone(pod);
  expect(log(pod, 'report')).toBe('answered\n');
});

test('a second up changes nothing, and runs nothing again', async () => {
  const before = podsOf('east', 'import').map(({ metadata }) => metadata.uid);
  const again = await project.run('up', '--engine', 'apply');
  expect(again).toMatchObject({ code: 0 });
  expect(again.stdout).toContain('nothing to change: all ');
  expect(podsOf('east', 'import').map(({ metadata }) => metadata.uid)).toEqual(before);
});

test('status tells how they ended', async () => {
  const { code, stdout } = await project.run('status');
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/shop\/import-[0-9a-f]{8} +east +complete +20\S+ \d\d:\d\dZ +-/);
  expect(stdout).toMatch(/shop\/report +east +complete +20\S+ \d\d:\d\dZ +-/);
});

// A minute and a half: CI has those that end well.
const long = everything ? describe : describe.skip;

long('Jobs that fail', () => {
  let failed: Awaited<ReturnType<typeof project.run>>;
  beforeAll(async () => {
    project.fail(true);
    failed = await project.run('up', '--engine', 'apply');
  }, 5 * minute);

  test('end up with 1, each with what it said last', () => {
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(
      /east: Job shop\/stranger-[0-9a-f]{8}: failed: BackoffLimitExceeded: .*container stranger of Pod \S+ ended with exit code 7; fix: .*delete job stranger-/,
    );
    expect(failed.stderr).toContain('PERMISSION_DENIED');
    expect(failed.stderr).toMatch(/east: Job shop\/slow-[0-9a-f]{8}: failed: DeadlineExceeded: /);
    expect(failed.stderr).toContain('row 17');
  });

  test('are told at once by the next up, which does not run them again', async () => {
    const { code, stderr } = await project.run('up', '--engine', 'apply');
    expect(code).toBe(1);
    for (const name of ['stranger', 'slow'])
      expect(stderr).toMatch(new RegExp(`Job shop/${name}-[0-9a-f]{8}: failed before this run, at 20`));
    expect(podsOf('east', 'stranger')).toHaveLength(1);
  });

  test('are told by status, which finds the mesh not healthy', async () => {
    const { code, stdout } = await project.run('status');
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /Job shop\/stranger-\w+ in east: it failed: BackoffLimitExceeded/,
    );
  });

  test('are removed when they are no longer declared', async () => {
    project.fail(false);
    const { code } = await project.run('up', '--engine', 'apply');
    expect(code).toBe(0);
    const names = jobsIn('east').filter((name) => name !== 'report-now');
    expect(names.map((name) => name.replace(/-[0-9a-f]{8}$/, ''))).toEqual(['import', 'retried']);
  });
});
