import { init } from '../scaffold/init.ts';

/** `npx meshwright init`: makes a project in the folder that it is run in. */
export function initProject(name: string | undefined): number {
  const { mesh, written, kept } = init(process.cwd(), name);
  const lines = [
    ...written.map((path) => `wrote ${path}`),
    ...kept.map((script) => `kept your script ${script}: use \`npx meshwright ${script}\``),
    '',
    `The mesh ${mesh} is declared in mesh.ts. Next:`,
    '  npm install',
    '  npm run synth    # writes dist/, which you review and commit',
    '  npm test',
    '  npm run up       # in a lab on this machine (Linux on x64, root)',
  ];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}
