import { Listr, PRESET_TIMER, type ListrTask } from 'listr2';

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
    steps.map((step): ListrTask => {
      if ('run' in step) return toListr(step);
      return {
        title: step.map(({ title }) => title).join(', '),
        task: (_, task) => task.newListr(step.map(toListr), { concurrent: true, exitOnError: true }),
      };
    }),
    {
      renderer: process.stdout.isTTY ? 'default' : 'verbose',
      rendererOptions: { timer: PRESET_TIMER, collapseSubtasks: false },
      // The command prints its own errors, all at once, at its end.
      collectErrors: false,
      silentRendererCondition: () => process.env['NODE_ENV'] === 'test',
    },
  );
  await list.run();
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
