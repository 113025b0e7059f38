import { canonical } from './canonical.ts';
import type { Json } from './canonical.ts';

/**
 * A stream's messages, and its error as `{ ".error": STATUS }`, whatever way they are written: lines of
 * `{"result": MESSAGE}` and `{"error": STATUS}`, or one JSON list of messages.
 */
export function framed(text: string): Json | undefined {
  if (text.startsWith('[')) {
    const list = canonical(text);
    return Array.isArray(list) ? list.map((message: Json) => ({ '.result': message })) : undefined;
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => canonical(line) ?? `no JSON: ${line}`);
}
