/** The process in which test files run, one after another, each as it stands: Node strips the types. */
import { registerHooks } from 'node:module';
import type { Report, RunFile } from './messages.ts';

const globals = new URL('globals.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: globals, shortCircuit: true } : next(specifier, context),
});
// As jest does: Node's 10 lines end within the helpers of a test.
Error.stackTraceLimit = 100;

const { runFile } = await import('./run-file.ts');

process.on('message', (message: RunFile) => {
  void runFile(message, (report: Report) => process.send?.(report));
});
// The runner has ended or has no more files.
process.on('disconnect', () => process.exit(0));
