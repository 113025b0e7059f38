import { Listr, PRESET_TIMER, type ListrTask } from 'listr2';
import { ProblemsError } from '../../core/problem.ts';

/** A step of a command, for people: what it does, and how it does it. */
export interface Task {
  readonly title: string;
  /** Runs the step; `report` takes a line of progress. */
  readonly run: (report: (line: string) => void) => Promise<void>;
}

/**
 * Runs steps in turn, those of an inner list at the same time. In a terminal they are drawn live with their times;
 * elsewhere (CI, a log) each start, line and end is a plain line.
 */
export async function runTasks(steps: readonly (Task | readonly Task[])[]): Promise<void> {
  const list = new Listr(
    steps.map((step) => toListr('run' in step ? step : together(step))),
    {
      renderer: process.stdout.isTTY ? 'default' : 'verbose',
      rendererOptions: { timer: PRESET_TIMER },
      // The command prints its own errors, all at once, at its end.
      collectErrors: false,
      // An interruption is the command's own: listr would abandon the steps in the middle and exit with 127.
      registerSignalListeners: false,
      silentRendererCondition: () => process.env['NODE_ENV'] === 'test',
    },
  );
  await list.run();
}

/**
 * One task of several. All come to their end, also when one fails: nothing works on once the command has given its
 * lock back. Then every problem is thrown.
 */
function together(tasks: readonly Task[]): Task {
  return {
    title: tasks.map(({ title }) => title).join('; '),
    run: async (report) => {
      const settled = await Promise.allSettled(
        tasks.map(({ title, run }) =>
          run((line) => {
            report(`${title}: ${line}`);
          }),
        ),
      );
      const failures = settled.flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      const unexpected = failures.find((failure) => !(failure instanceof ProblemsError));
      if (unexpected !== undefined) throw unexpected as Error;
      const problems = failures.filter((failure) => failure instanceof ProblemsError);
      if (problems.length > 0) {
        throw new ProblemsError(
          problems.flatMap((failure) => failure.problems),
          problems.some(({ exitCode }) => exitCode === 1) ? 1 : 2,
        );
      }
    },
  };
}

function toListr({ title, run }: Task): ListrTask {
  return {
    title,
    task: (_, task) =>
      run((line) => {
        task.output = line;
      }),
  };
}
