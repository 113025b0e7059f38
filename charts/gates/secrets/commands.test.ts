import { expect, test } from '@jest/globals';
import { runsShell, suspectsIn } from './commands.ts';

test.each([
  '--password=$ecr3tPassw0rd',
  '--password=~abc',
  '--password abc/def',
  'PASSWORD=20260101 server',
  'PASSWORD=${DB_PASSWORD:-hunter2} server',
])('what only begins as the place of a secret is one: %s', (line) => {
  expect(suspectsIn([line], false)).toEqual([
    { name: line.startsWith('-') ? 'password' : 'PASSWORD', reason: 'has the name of a secret' },
  ]);
});

test.each(['--eos-token 50256', '--token-url https://id.example', 'PASSWORD=$password server'])(
  'what names none, or its place, is none: %s',
  (line) => {
    expect(suspectsIn([line], false)).toEqual([]);
  },
);

test.each([
  'server --password=$pw',
  'TOKEN=$t server',
  'read -r pw < /run/pw; server --password "$pw"',
  'server --db-password $dbpw2',
])('a shell puts something in the place of each variable: %s', (script) => {
  expect(suspectsIn([script], true)).toEqual([]);
  expect(suspectsIn([script], false)).toHaveLength(1);
});

test.each(["server --password '$pw'", "PASSWORD='$pw' server", 'server --password=$pw!x'])(
  'but not where it does not: %s',
  (script) => {
    expect(suspectsIn([script], true)).toHaveLength(1);
  },
);

test.each<[readonly string[], boolean]>([
  [['sh', '-c', 'x'], true],
  [['/bin/bash', '-euc', 'x'], true],
  [['timeout', '5', 'sh', '-c', 'x'], true],
  [['sh', 'start.sh'], false],
  [['server', '-c', 'sh'], false],
  [['/app/fish', '-c', 'x'], false],
])('%j is run by a shell: %s', (line, is) => {
  expect(runsShell(line)).toBe(is);
});
