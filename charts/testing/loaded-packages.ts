import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Imports the module named in its argument, and prints the URL of every module that this loads. */
const program = `
import { registerHooks } from 'node:module';
const urls = [];
registerHooks({
  load(url, context, nextLoad) {
    urls.push(url);
    return nextLoad(url, context);
  },
});
await import(process.argv[1]);
console.log(JSON.stringify(urls));
`;

/**
 * The npm packages that a fresh Node process loads for one import, each once, ordered by name. A process of its own: what a
 * test file has loaded before must not count.
 * @param path - of the module, relative to the project root: `charts/index.ts`
 */
export function packagesLoadedBy(path: string): readonly string[] {
  const url = new URL(`../../${path}`, import.meta.url).href;
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program, url], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    encoding: 'utf8',
  });
  const urls = JSON.parse(output) as readonly string[];
  const names = urls.flatMap((each) => /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(each)?.[1] ?? []);
  return [...new Set(names)].sort();
}
