import { parseArgs } from 'node:util';
import { ProblemsError, type Problem } from '../../core/problem.ts';
import { nearest } from '../../core/names.ts';
import { rooms, type Room } from './rooms.ts';

export interface Options {
  /** Draws the mutants. @default 1 */
  readonly seed: number;
  /** How many mutants are drawn. @default 400 */
  readonly count: number;
  /** The rooms they are drawn from. @default all */
  readonly rooms: readonly Room[];
  /** Processes side by side, of up to 0.9 GB each. @default 2 */
  readonly workers: number;
}

const where = 'npm run bench -- mutation';

/** @throws ProblemsError (exit 2) with all that is wrong. */
export function parseOptions(args: readonly string[]): Options {
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      count: { type: 'string' },
      room: { type: 'string' },
      workers: { type: 'string' },
    },
    strict: false,
    tokens: true,
  });
  const problems: Problem[] = [];
  const options = { seed: 1, count: 400, workers: 2 };
  const chosen: Room[] = [];
  for (const token of tokens) {
    const received =
      token.kind === 'option' ? token.rawName : token.kind === 'positional' ? token.value : '--';
    const name = token.kind === 'option' ? token.name : undefined;
    const value = token.kind === 'option' ? token.value : undefined;
    if (name === 'room') {
      const room = rooms.find((known) => known === value);
      if (room !== undefined) chosen.push(room);
      else problems.push(unknownRoom(value));
    } else if (name === 'seed' || name === 'count' || name === 'workers') {
      const least = name === 'seed' ? 0 : 1;
      if (value !== undefined && /^[0-9]{1,9}$/.test(value) && Number(value) >= least)
        options[name] = Number(value);
      else
        problems.push({
          where,
          what: `--${name} is not a valid number`,
          received: value,
          allowed: `a whole number from ${least}`,
          fix: `--${name} ${options[name]}`,
        });
    } else {
      const known = ['--seed', '--count', '--room', '--workers'];
      problems.push({
        where,
        what: 'is not a flag of this command',
        received,
        allowed: known.join(', '),
        fix: `use ${nearest(received, known) ?? 'one of these'}, or remove it`,
      });
    }
  }
  if (problems.length > 0) throw new ProblemsError(problems);
  return { ...options, rooms: chosen.length > 0 ? chosen : rooms };
}

function unknownRoom(value: string | undefined): Problem {
  return {
    where,
    what: '--room is not one of the mutated rooms',
    received: value,
    allowed: rooms.join(', '),
    fix: `--room ${nearest(value, rooms) ?? rooms[0]}`,
  };
}
