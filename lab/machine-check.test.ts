import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { planAddresses } from './addresses.ts';
import { ownerLengthProblems } from './network.ts';
import { machineFacts, machineProblems, networkProblems, type MachineFacts } from './machine-check.ts';

const good: MachineFacts = {
  platform: 'linux',
  architecture: 'x64',
  uid: 0,
  freeDisk: 20 * 2 ** 30,
  freeMemory: 20 * 2 ** 30,
};
const orElse = 'or use two clusters you have: `npm run up -- --context east=CTX --context west=CTX`';

describe('machineProblems', () => {
  test('finds none on a fitting machine', () => {
    expect(machineProblems(good, true)).toEqual([]);
  });

  test.each<[string, Partial<MachineFacts>, readonly string[]]>([
    [
      'another system',
      { platform: 'darwin', architecture: 'arm64', uid: 501 },
      [
        'lab: this machine is not Linux on x64, which nodes of the lab need; received "darwin arm64"; allowed linux x64; ' +
          `fix: run it on a Linux machine, ${orElse}`,
      ],
    ],
    [
      'no root, and no room: both at once',
      { uid: 1000, freeDisk: 2 ** 30, freeMemory: 1.5 * 2 ** 30 },
      [
        'lab: creates network namespaces, mounts and control groups, which requires root; received "user id 1000"; ' +
          `allowed root (user id 0); fix: run the command as root, ${orElse}`,
        'lab: too little disk space for images and nodes; received "1.0 GiB free"; allowed 8 GiB or more; ' +
          'fix: free disk space, or move the checkout to a larger disk',
        'lab: too little memory for two clusters; received "1.5 GiB available"; allowed 4 GiB or more; ' +
          'fix: stop other programs, or use a larger machine',
      ],
    ],
  ])('names %s', (_, facts, expected) => {
    expect(machineProblems({ ...good, ...facts }, true).map(formatProblem)).toEqual(expected);
  });

  test('asks for no room when every node runs', () => {
    expect(machineProblems({ ...good, freeDisk: 0, freeMemory: 0 }, false)).toEqual([]);
  });

  test('reads this machine, also for a folder that is not there yet', () => {
    const facts = machineFacts('/tmp/no/such/folder');
    expect(facts.platform).toBe(process.platform);
    expect(facts.freeDisk).toBeGreaterThan(0);
    expect(facts.freeMemory).toBeGreaterThan(0);
  });
});

describe('networkProblems', () => {
  const addresses = planAddresses('172.29.0.0/24', ['east', 'west']);

  test('finds none beside other networks', () => {
    const others = [{ network: '10.0.0.0/8', device: 'eth0' }];
    expect(networkProblems(addresses, '/a', undefined, others)).toEqual([]);
  });

  test('names the network in the way, and a free one', () => {
    const problems = networkProblems(addresses, '/a', undefined, [
      { network: '172.30.0.0/24', device: 'docker0' },
      { network: '172.16.0.0/12', device: 'tun0' },
    ]);
    expect(problems.map(formatProblem)).toEqual([
      '--lab-subnet: is in use: network 172.16.0.0/12 on device tun0; received "172.29.0.0/24"; ' +
        'allowed an IPv4 /24 that this machine has no route to; ' +
        'fix: choose another, such as `npm run up -- --lab-subnet 192.168.0.0/24`',
    ]);
  });

  test('names the checkout that has a lab already, and nothing else', () => {
    const lab = { owner: '/b/.meshwright', ownerExists: true, processes: [] };
    const busy = [{ network: '172.29.0.0/24', device: 'docker0' }];
    expect(networkProblems(addresses, '/a', lab, busy).map(formatProblem)).toEqual([
      'lab: another checkout has its lab on this machine; received "/b/.meshwright"; ' +
        'allowed one lab per machine; fix: take that one down: `MESHWRIGHT_STATE_DIR=/b/.meshwright npm run down`',
    ]);
  });

  test('says how to take it down in words of a shell, whatever its folder is called', () => {
    const lab = { owner: `/my b's/.meshwright`, ownerExists: true, processes: [] };
    expect(networkProblems(addresses, '/a', lab, []).map(formatProblem)).toEqual([
      `lab: another checkout has its lab on this machine; received "/my b's/.meshwright"; allowed one lab per machine; ` +
        `fix: take that one down: \`MESHWRIGHT_STATE_DIR='/my b'\\''s/.meshwright' npm run down\``,
    ]);
  });

  test('has nothing against the lab of a checkout that is gone', () => {
    const stale = { owner: '/b/.meshwright', ownerExists: false, processes: [] };
    expect(networkProblems(addresses, '/a', stale, [])).toEqual([]);
  });
});

test("a state folder's path is refused that is too long to mark the lab by, in bytes", () => {
  expect(ownerLengthProblems(`/${'a'.repeat(254)}`)).toEqual([]);
  expect(ownerLengthProblems(`/${'é'.repeat(127)}`)).toEqual([]);
  const long = `/${'é'.repeat(128)}`;
  expect(ownerLengthProblems(long).map(formatProblem)).toEqual([
    'lab: the path of its state folder is too long: the kernel keeps it as the name of whose lab it is; ' +
      `received "257 bytes: /${'é'.repeat(106)}…; allowed 255 bytes; ` +
      'fix: move the checkout to a folder with a shorter path, or set MESHWRIGHT_STATE_DIR to one',
  ]);
});
