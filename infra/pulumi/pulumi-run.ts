import { ProblemsError } from '../../core/problem.ts';

interface PulumiOutput {
  readonly onOutput: (text: string) => void;
  readonly color: 'never';
  readonly suppressProgress: true;
  readonly signal: AbortSignal;
}

const shownLines = 8;
const noticeMs = 1_000;

/**
 * Runs one of Pulumi's commands.
 * @param what - the command's name, for the error
 * @throws ProblemsError (exit 1): with Pulumi's last lines when it failed, and without them when it was killed, because then
 * they tell what it was doing and not what is wrong.
 */
export async function inPulumi<T>(
  what: string,
  signal: AbortSignal | undefined,
  work: (output: PulumiOutput) => Promise<T>,
): Promise<T> {
  // One that came between two commands: a listener of an aborted signal is never called.
  signal?.throwIfAborted();
  const output: string[] = [];
  const forwarded = new AbortController();
  let notice: NodeJS.Timeout | undefined;
  // A terminal's ^C reaches Pulumi too, and on a second one Pulumi stops without cleaning up: so the interrupt is
  // forwarded only when Pulumi does not report that it is stopping already.
  const interrupt = () => {
    notice = setTimeout(() => {
      if (!output.some((line) => line.includes('^C received'))) forwarded.abort();
    }, noticeMs);
  };
  signal?.addEventListener('abort', interrupt, { once: true });
  // Kept to explain a failure; progress is reported from the engine's events.
  const onOutput = (text: string) => {
    output.push(...text.split('\n').filter((line) => line.trim() !== ''));
  };
  try {
    return await work({
      onOutput,
      color: 'never',
      suppressProgress: true,
      signal: forwarded.signal,
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof ProblemsError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const [, killedBy] = /Command was killed with (SIG[A-Z0-9]+)/.exec(message) ?? [];
    if (killedBy !== undefined) throw endedByItself(what, killedBy);
    const lines = output.length > 0 ? output : message.trim().split('\n');
    throw new ProblemsError(
      [
        {
          where: `pulumi ${what}`,
          what: `failed: ${lines
            .slice(-shownLines)
            .map((line) => line.trim())
            .join(' | ')}`,
          fix: 'correct the error and run the command again; to switch to --engine apply, run `npm run down` first',
        },
      ],
      1,
    );
  } finally {
    clearTimeout(notice);
    signal?.removeEventListener('abort', interrupt);
  }
}

/** @param killedBy - the signal, such as `SIGKILL`, which is also what the kernel sends when memory runs out */
function endedByItself(what: string, killedBy: string): ProblemsError {
  return new ProblemsError(
    [
      {
        where: `pulumi ${what}`,
        what: `Pulumi was ended by ${killedBy} before it was done; what it had finished is kept in its state`,
        fix: 'run the command again, which continues from there; if it ends the same way again, check whether the machine runs out of memory',
      },
    ],
    1,
  );
}
