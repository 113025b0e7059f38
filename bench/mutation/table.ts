import { roomOf } from './rooms.ts';
import { formatMutant, type Tried } from './run.ts';

/** Of the mutants of a room. */
export interface RoomScore {
  readonly room: string;
  readonly drawn: number;
  readonly killed: number;
  readonly timedOut: number;
  readonly survived: number;
}

/** Percent of mutants that the tests have to notice. */
const goal = 90;

export function scoresOf(tried: readonly Tried[]): readonly RoomScore[] {
  const byRoom = Map.groupBy(tried, ({ mutant }) => roomOf(mutant.file) ?? mutant.file);
  const scores = [...byRoom].sort(([a], [b]) => (a < b ? -1 : 1)).map(([room, of]) => scoreOf(room, of));
  return [...scores, scoreOf('all', tried)];
}

function scoreOf(room: string, tried: readonly Tried[]): RoomScore {
  const count = (outcome: Tried['outcome']) => tried.filter((one) => one.outcome === outcome).length;
  return {
    room,
    drawn: tried.length,
    killed: count('killed'),
    timedOut: count('timed out'),
    survived: count('survived'),
  };
}

/** Percent that was noticed, by a failure or by a time-out. */
export function percentOf({ drawn, survived }: RoomScore): number {
  return drawn === 0 ? 100 : (100 * (drawn - survived)) / drawn;
}

/** The table by room, what survived, and the score against the goal. */
export function formatMutation(tried: readonly Tried[], seed: number, minutes: number): string {
  const scores = scoresOf(tried);
  const rows = scores.map(
    (score) =>
      `| ${score.room} | ${score.drawn} | ${score.killed} | ${score.timedOut} | ${score.survived} | ${percentOf(score).toFixed(1)} |`,
  );
  const survivors = tried
    .filter(({ outcome }) => outcome === 'survived')
    .map(
      ({ mutant, tests }) =>
        `${formatMutant(mutant)} (${tests === 0 ? 'no test runs it' : `${tests} test files`})`,
    )
    .sort();
  const all = scoreOf('all', tried);
  return [
    '| room | drawn | killed | timed out | survived | % noticed |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...survivors,
    ...(survivors.length > 0 ? [''] : []),
    `seed ${seed}: ${percentOf(all).toFixed(1)} % of ${all.drawn} mutants noticed, goal ${goal} %; ${minutes.toFixed(0)} minutes`,
  ].join('\n');
}
