import { z } from 'zod';
import { chosen } from '../chosen.ts';
import { line, mapping, text } from '../fields.ts';
import { at } from '../mapping.ts';

const ops = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;
const pointer = text(
  'a JSON pointer (RFC 6901) into the Deployment, such as /spec/template/spec/dnsPolicy',
  (value) => /^(?:\/(?:[^~/]|~[01])+)+$/.test(value),
);
const op = z.enum(ops, { error: ops.join(', ') });
const reason = line('why the guarantee may be undone: one line of 1 to 300 characters', 300).exactOptional();

/** Operations of JSON Patch (RFC 6902), each with a reason where it undoes a guarantee. */
export const patchesSchema = z.array(
  chosen((value) => {
    const kind = at(value, 'op');
    const shape = { op, path: pointer, reason };
    if (kind === 'move' || kind === 'copy') return mapping({ ...shape, from: pointer });
    if (kind === 'remove') return mapping(shape);
    // Of an operation that is none, this is told alone.
    if (!ops.some((known) => known === kind)) return z.looseObject({ op }, { error: rule });
    return mapping({
      ...shape,
      value: z.unknown().refine((given) => given !== undefined && !hasNull(given), { error: valueRule }),
    });
  }),
  { error: 'a list of operations of JSON Patch: { op, path, value }' },
);

const rule = 'an operation of JSON Patch: { op, path, value }';

const valueRule = 'any value without null, which is as if it was not there: use remove';

function hasNull(value: unknown): boolean {
  return value === null || (typeof value === 'object' && Object.values(value).some(hasNull));
}
