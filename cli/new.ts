import { scaffold } from '../scaffold/scaffold.ts';
import type { Workspace } from './workspace/workspace.ts';

/** `npm run new -- NAME`: makes a service that passes `npm test` and runs in the lab. */
export async function newService(at: Workspace, name: string): Promise<number> {
  const { names, created, changed } = await scaffold(at.root, name);
  const lines = [
    ...created.map((path) => `created ${path}`),
    ...changed.map((path) => `changed ${path}`),
    'updated dist/',
    '',
    `${names.typeName} runs in every cluster, and is served at /v1/${names.many.kebab}. Next:`,
    '  npm test',
    '  npm run up',
  ];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}
