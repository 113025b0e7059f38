import type { Template } from '../../../http-rule/template.ts';
import { invalid } from './invalid.ts';

/**
 * The variables' values in a path that the template's segments match.
 * A variable of one segment is percent-decoded as a whole; of several, or of `**`, all but `%2F`, so that the slashes
 * between its segments stay what they were.
 * @param path - raw segments, without the verb
 * @throws StatusError INVALID_ARGUMENT for malformed percent-encoding
 */
export function variableValues(template: Template, path: readonly string[]): string[] {
  return template.variables.map(({ start, end }) => {
    const last = template.segments[end - 1];
    if (end - start === 1 && last?.kind !== 'rest') return decodeSegment(path[start] ?? '');
    const taken = path.slice(start, last?.kind === 'rest' ? path.length : end);
    return taken.map(decodeAllButSlash).join('/');
  });
}

/**
 * Decodes a raw segment.
 * @throws StatusError INVALID_ARGUMENT for malformed percent-encoding
 */
export function decodeSegment(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalid('path', '', `malformed percent-encoding in ${JSON.stringify(raw.slice(0, 100))}`);
  }
}

function decodeAllButSlash(raw: string): string {
  return raw
    .split(/(%2f)/i)
    .map((part, index) => (index % 2 === 1 ? part : decodeSegment(part)))
    .join('');
}
