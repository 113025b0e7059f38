// A broker of others, NATS' own server, as a TcpService: its protocol begins with a word of the server. Needs Go to build it once.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Caller } from './calls/call.ts';
import type { Outsider } from './calls/outside.ts';
import { removeStrangers, startStrangers } from './calls/strangers.ts';
import { answered, converse } from './calls/tcp.ts';
import { kubectl } from './checkout/lab.ts';
import { everything } from './everything.ts';
import { brokersProject, client, idIn, monitor, scale, serverId, type Broker } from './meshes/brokers.ts';
import { readerImage, readerIn, upWithNats } from './meshes/nats.ts';

const minute = 60_000;
const clusters = ['east', 'west'] as const;
jest.setTimeout(5 * minute);

const project = brokersProject();
let brought: Awaited<ReturnType<typeof project.run>>;
let intruder: Caller;
let outsider: Outsider;

beforeAll(async () => {
  brought = await upWithNats(project);
  if (brought.code !== 0) return;
  ({ intruder, outsider } = startStrangers('west', readerImage('west')));
}, 60 * minute);

afterAll(() => {
  removeStrangers('west');
  project.remove();
});

/** Ids of the servers that answered. */
const ids = (answers: readonly string[]) => [...new Set(answers.map(serverId))];

test('up brings it up, and proves that its ports refuse plaintext', () => {
  expect(brought).toMatchObject({ code: 0 });
  for (const cluster of clusters) {
    const title = `a plaintext call from outside the mesh is refused in ${cluster}`;
    const ports = `tcp://broker\\.shop\\.svc\\.cluster\\.local:4222, then: .*tcp://ledger\\.shop\\.svc\\.cluster\\.local:4222, then: `;
    expect(brought.stdout).toMatch(new RegExp(`${title}: .*connected to ${ports}`));
  }
});

describe('a caller with the grant of a port', () => {
  test.each(clusters)(
    'in %s gets to the instance of its own cluster, by every connection',
    async (cluster) => {
      for (const name of ['broker', 'shared'] as const satisfies readonly Broker[]) {
        const own = idIn(cluster, name);
        const what = `${name} answers its caller in ${cluster} by its own instance`;
        const isOwn = (received: string) => serverId(received) === own;
        expect(ids(await answered(what, readerIn(cluster, 'reader'), client(name), isOwn, 20))).toEqual([
          own,
        ]);
      }
    },
  );

  test('in a cluster without an instance gets to the one of the other cluster', async () => {
    const only = idIn('west', 'single');
    const isIt = (received: string) => serverId(received) === only;
    const seen = await answered('single in the west', readerIn('east', 'reader'), client('single'), isIt);
    expect(ids(seen)).toEqual([only]);
  });

  test('of a port of the Service that is not that of the container gets to that', async () => {
    const seen = await answered('the metrics', readerIn('west', 'auditor'), monitor());
    expect(ids(seen)).toEqual([idIn('west', 'broker')]);
  });
});

describe('a caller without the grant', () => {
  test('of this port, though of another, is not heard by the server', () => {
    // What the server says by itself gets out, as the proxy beside it decides when the caller says something (docs/security.md).
    expect(converse(readerIn('west', 'auditor'), client('broker'))).toMatchObject([{ outcome: 'closed' }]);
    expect(converse(readerIn('west', 'reader'), monitor())).toEqual([{ outcome: 'closed', received: '' }]);
  });

  test('of any, with an identity of the mesh, is not heard', () => {
    expect(converse(intruder, client('broker'))).toMatchObject([{ outcome: 'closed' }]);
    expect(converse(intruder, monitor())).toEqual([{ outcome: 'closed', received: '' }]);
  });

  test('and without an identity gets nothing at all', () => {
    const pod = ['-n', 'shop', 'get', 'pods', '-l', 'app.kubernetes.io/name=broker', '-o'];
    const address = kubectl('west', ...pod, 'jsonpath={.items[0].status.podIP}');
    const say = { serverFirst: false };
    expect(converse(outsider.caller, { ...client('broker'), ...say })).toEqual([
      { outcome: 'closed', received: '' },
    ]);
    expect(converse(outsider.caller, { ...client('broker', address), ...say })).toEqual([
      { outcome: 'closed', received: '' },
    ]);
    expect(converse(outsider.caller, monitor(address, 8222))).toEqual([{ outcome: 'closed', received: '' }]);
  });
});

// Half a minute: CI has what holds while all instances are there.
const long = everything ? describe : describe.skip;

long('where the instance of a cluster is gone', () => {
  beforeAll(() => {
    for (const name of ['broker', 'shared'] as const) scale('east', name, 0);
  });

  test('one that holds the same data is called in the other cluster, through the gateways', async () => {
    const other = idIn('west', 'shared');
    const isOther = (received: string) => serverId(received) === other;
    const seen = await answered(
      'shared in the west',
      readerIn('east', 'reader'),
      client('shared'),
      isOther,
      20,
    );
    expect(ids(seen)).toEqual([other]);
  });

  test('one with data of its own is called nowhere', () => {
    expect(converse(readerIn('east', 'reader'), client('broker'), 20)).toEqual(
      Array.from({ length: 20 }, () => ({ outcome: 'closed', received: '' })),
    );
  });

  test('and is called there again once it is back', async () => {
    for (const name of ['broker', 'shared'] as const) {
      scale('east', name, 1);
      const own = idIn('east', name);
      const isOwn = (received: string) => serverId(received) === own;
      const what = `${name} is back in the east`;
      expect(ids(await answered(what, readerIn('east', 'reader'), client(name), isOwn))).toEqual([own]);
    }
  });
});
