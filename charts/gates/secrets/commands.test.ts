import { expect, test } from '@jest/globals';
import { suspectsIn } from './commands.ts';

test.each([
  '--password=$ecr3tPassw0rd',
  '--password=~abc',
  '--password abc/def',
  'PASSWORD=20260101 server',
  'PASSWORD=${DB_PASSWORD:-hunter2} server',
])('what only begins as the place of a secret is one: %s', (line) => {
  expect(suspectsIn([line])).toEqual([
    { name: line.startsWith('-') ? 'password' : 'PASSWORD', reason: 'has the name of a secret' },
  ]);
});

test.each(['--eos-token 50256', '--token-url https://id.example', 'PASSWORD=$password server'])(
  'what names none, or its place, is none: %s',
  (line) => {
    expect(suspectsIn([line])).toEqual([]);
  },
);
