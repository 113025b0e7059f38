import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { nearest } from '../../core/names.ts';
import { ProblemsError } from '../../core/problem.ts';
import { parseConfig, project } from './stack-config.ts';
import type { StackConfig } from './stack-config.ts';

/**
 * The configuration in `Pulumi.<stack>.yaml` at the project's root: the file that `pulumi up` reads, so that either
 * driver brings up the same state. Values that Pulumi encrypted, and values of other projects, are ignored.
 * @param defaults - values that the file may leave out
 * @throws ProblemsError (exit 2) when there is no such file, or it is wrong.
 */
export function readStackFile(
  root: string,
  stack: string,
  defaults: { readonly trustDir?: string } = {},
): StackConfig {
  const name = `Pulumi.${stack}.yaml`;
  const file = join(root, name);
  if (!existsSync(file)) {
    const stacks = readdirSync(root).flatMap((entry) => /^Pulumi\.(.+)\.yaml$/.exec(entry)?.[1] ?? []);
    const near = nearest(stack, stacks);
    throw new ProblemsError([
      {
        where: '--stack',
        what: `there is no ${name}`,
        received: stack,
        allowed: stacks.join(', '),
        fix:
          near === undefined
            ? `write ${name}, after the example of Pulumi.prod.yaml`
            : `did you mean ${near}?`,
      },
    ]);
  }
  return parseConfig({ ...defaults, ...ownValues(readFileSync(file, 'utf8'), name) }, root, name);
}

function ownValues(text: string, name: string): Readonly<Record<string, unknown>> {
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    // The parser's own message quotes the file, which may hold secrets.
    throw new ProblemsError([{ where: name, what: 'is not valid YAML' }]);
  }
  const config = (content as { readonly config?: unknown } | null)?.config ?? {};
  if (typeof config !== 'object' || Array.isArray(config)) {
    throw new ProblemsError([
      { where: `${name}: config`, what: 'is not a mapping', allowed: `keys such as ${project}:trust` },
    ]);
  }
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value as unknown]] : [],
    ),
  );
}
