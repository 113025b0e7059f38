import { describe, expect, test } from '@jest/globals';
import { problemsWith } from './testing/config.ts';

const cpu = 'a Kubernetes quantity as text, at least "1m", such as "250m"';
const memory = 'a Kubernetes quantity as text, at least "16Mi", such as "128Mi"';
const version = 'a semantic version as text, such as "1.4.0"';
const nodeOption =
  'an option that Node accepts in NODE_OPTIONS, such as --max-semi-space-size=4, which neither opens a debugger, nor loads code, nor weakens TLS or HTTP';

describe('parseAppConfig', () => {
  test.each<[string, unknown, string]>([
    [
      'image',
      undefined,
      'image: missing; allowed a mapping with the keys version, title, description, nodeOptions',
    ],
    ['image.version', undefined, `image.version: missing; allowed ${version}`],
    ['image.version', 1.4, `image.version: wrong value; received 1.4; allowed ${version}`],
    ['image.version', 'latest', `image.version: wrong value; received "latest"; allowed ${version}`],
    ['image.title', '', 'image.title: wrong value; received ""; allowed one line of 1 to 80 characters'],
    [
      'image.description',
      'a\nb',
      'image.description: wrong value; received "a\\nb"; allowed one line of 1 to 300 characters',
    ],
    ...[
      '--max-semi-space-sizes=4',
      '--max-semi-space-size 4',
      'max-semi-space-size=4',
      '--eval=0',
      '/app/other.js',
      // D15
      '--inspect=0.0.0.0:9229',
      '--inspect-brk',
      '--require=/tmp/a.cjs',
      '--import=/tmp/a.js',
      '--insecure-http-parser',
      '--tls-min-v1.0',
      7,
    ].map((option): [string, unknown, string] => [
      'image.nodeOptions',
      ['--enable-source-maps', option],
      `image.nodeOptions[1]: wrong value; received ${JSON.stringify(option)}; allowed ${nodeOption}`,
    ]),
    [
      'image.nodeOptions',
      '--max-semi-space-size=4',
      'image.nodeOptions: wrong value; received "--max-semi-space-size=4"; allowed a list of options',
    ],
    ['resources', undefined, 'resources: missing; allowed a mapping with the keys requests, limits'],
    [
      'resources.requests',
      undefined,
      'resources.requests: missing; allowed a mapping with the keys cpu, memory',
    ],
    ['resources.requests.cpu', undefined, `resources.requests.cpu: missing; allowed ${cpu}`],
    ['resources.requests.cpu', 1, `resources.requests.cpu: wrong value; received 1; allowed ${cpu}`],
    [
      'resources.requests.cpu',
      '2',
      'resources.requests.cpu: more than resources.limits.cpu; received "2"; allowed at most 1; fix: lower the request or raise the limit',
    ],
    [
      'resources.requests.memory',
      '128m',
      `resources.requests.memory: wrong value; received "128m"; allowed ${memory}`,
    ],
    [
      'resources.requests.memory',
      '1Gi',
      'resources.requests.memory: more than resources.limits.memory; received "1Gi"; allowed at most 256Mi; fix: lower the request or raise the limit',
    ],
    ['resources.limits', undefined, 'resources.limits: missing; allowed a mapping with the keys cpu, memory'],
    ['resources.limits.cpu', 'half', `resources.limits.cpu: wrong value; received "half"; allowed ${cpu}`],
    ['resources.limits.memory', undefined, `resources.limits.memory: missing; allowed ${memory}`],
    ['replicas', undefined, 'replicas: missing; allowed a whole number from 0 to 1000'],
    ['replicas', -1, 'replicas: wrong value; received -1; allowed a whole number from 0 to 1000'],
    ['replicas', 1.5, 'replicas: wrong value; received 1.5; allowed a whole number from 0 to 1000'],
    ['replicas', 1001, 'replicas: wrong value; received 1001; allowed a whole number from 0 to 1000'],
    [
      'replicas',
      0,
      'replicas: an autoscaler cannot scale up from 0 pods; received 0; allowed 1 or more with autoscaling; fix: raise replicas, or remove autoscaling',
    ],
    [
      'autoscaling',
      5,
      'autoscaling: wrong value; received 5; allowed a mapping with the keys maxReplicas, cpuPercent',
    ],
    [
      'autoscaling.maxReplicas',
      undefined,
      'autoscaling.maxReplicas: missing; allowed a whole number from 2 to 1000',
    ],
    [
      'autoscaling.maxReplicas',
      2,
      'autoscaling.maxReplicas: not more than replicas, the minimum number of pods; received 2; allowed more than 2; fix: raise maxReplicas, or remove autoscaling',
    ],
    [
      'autoscaling.cpuPercent',
      '70%',
      'autoscaling.cpuPercent: wrong value; received "70%"; allowed a whole number from 1 to 1000',
    ],
    [
      'shutdown.drainSeconds',
      0,
      'shutdown.drainSeconds: wrong value; received 0; allowed a whole number from 1 to 600',
    ],
    [
      'shutdown.drainSeconds',
      51,
      'shutdown.graceSeconds: the pod would be killed before its calls end: 10 s until callers stop sending calls, 51 s of drainSeconds, 5 s for the proxy; received 60; allowed at least 66; fix: raise graceSeconds or lower drainSeconds',
    ],
    [
      'shutdown.graceSeconds',
      undefined,
      'shutdown.graceSeconds: the pod would be killed before its calls end: 10 s until callers stop sending calls, 40 s of drainSeconds, 5 s for the proxy; received 30; allowed at least 55; fix: raise graceSeconds or lower drainSeconds',
    ],
  ])('%s = %j', (path, value, message) => {
    expect(problemsWith(path, value)).toEqual([`apps/catalog/config.yml: ${message}`]);
  });
});
