/** A process of the unit tests (test/runner/worker.ts) in which sources are replaced as they are loaded. */
import { flushCompileCache, registerHooks } from 'node:module';
import type { RunFile } from '../../test/runner/messages.ts';
import type { FromWorker, Load, ToWorker } from './messages.ts';

/** What the text that Stryker instrumented reads and writes. */
const stryker: {
  activeMutant?: string | undefined;
  mutantCoverage?: { readonly static: Readonly<Record<string, number>> };
} = {};
Object.assign(globalThis, { __stryker__: stryker });
Error.stackTraceLimit = 100;

const globals = new URL('../../test/runner/globals.ts', import.meta.url).href;
const send = (message: FromWorker) => process.send?.(message);

async function load({ sources, mutant }: Load): Promise<(file: RunFile) => Promise<void>> {
  stryker.activeMutant = mutant;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context),
    load: (url, context, next) => {
      const source = sources.get(url);
      return source === undefined
        ? next(url, context)
        : { format: 'module-typescript', source, shortCircuit: true };
    },
  });
  const { runFile } = await import('../../test/runner/run-file.ts');
  return (file) =>
    runFile(file, (report) => {
      if (report.kind === 'done') {
        send({ kind: 'reached', ids: Object.keys(stryker.mutantCoverage?.static ?? {}) });
        // The process is ended from without, before it would do so itself.
        flushCompileCache();
      }
      send(report);
    });
}

let run: Promise<(file: RunFile) => Promise<void>> | undefined;
process.on('message', (message: ToWorker) => {
  if ('sources' in message) run = load(message);
  else void run?.then((runFile) => runFile(message));
});
process.on('disconnect', () => process.exit(0));
