import { expect, test } from '@jest/globals';
import { formatProblem } from '../core/problem.ts';
import { foreignLabProblems, type ForeignLab } from './stale-lab.ts';

const owner = '/b/.meshwright';
const rest =
  `received "${owner}"; allowed one lab per machine; ` +
  `fix: take that one down: \`MESHWRIGHT_STATE_DIR=${owner} npm run down\``;

const messages = (lab: ForeignLab | undefined) =>
  foreignLabProblems('/a/.meshwright', lab).map(formatProblem);

test.each<[string, ForeignLab | undefined]>([
  ['no lab of others', undefined],
  ['a lab whose checkout is gone, of which nothing runs', { owner, ownerExists: false, processes: [] }],
])('%s is no obstacle', (_, lab) => {
  expect(messages(lab)).toEqual([]);
});

test.each<[string, ForeignLab, string]>([
  [
    'whose checkout is there, whether or not it runs',
    { owner, ownerExists: true, processes: [] },
    `lab: another checkout has its lab on this machine; ${rest}`,
  ],
  [
    'whose processes cannot be seen',
    { owner, ownerExists: false, processes: undefined },
    `lab: another checkout has its lab on this machine; ${rest}`,
  ],
  [
    'whose checkout is gone, and which runs',
    { owner, ownerExists: false, processes: [12, 13] },
    `lab: the lab of a checkout that is gone is on this machine, and its processes run: 12, 13; ${rest}`,
  ],
  [
    'with many processes',
    { owner, ownerExists: false, processes: [12, 13, 14, 15, 16, 17, 18] },
    `lab: the lab of a checkout that is gone is on this machine, and its processes run: 12, 13, 14, 15, 16 and 2 more; ${rest}`,
  ],
])('a lab %s is refused', (_, lab, message) => {
  expect(messages(lab)).toEqual([message]);
});
