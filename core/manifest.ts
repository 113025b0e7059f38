import { readFileSync } from 'node:fs';
import { ProblemsError } from './problem.ts';

/**
 * A package.json, with or without a byte order mark, as npm reads it.
 * @throws ProblemsError when it is not a JSON object
 */
export function readManifest(file: string): object {
  const fix = 'correct it, or make a new one with npm init';
  const problem = (what: string) => new ProblemsError([{ where: file, what, fix }]);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
  } catch {
    throw problem('is not valid JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw problem('is not a JSON object');
  return content;
}
