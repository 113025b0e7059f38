import type { ByteWriter } from '../bytes.ts';
import type { KeyTable } from './key-table.ts';

/** Deepest nesting of objects and arrays, that of protobuf's own parsers. */
export const depthLimit = 100;

/** What is wrong with a JSON text, and where. */
export class JsonError extends Error {
  /** Keys and indices from the outside in. */
  readonly path: readonly (string | number)[];

  constructor(path: readonly (string | number)[], message: string) {
    super(message);
    this.name = 'JsonError';
    this.path = path;
  }
}

/** Reads a JSON value and writes what it stands for. @throws JsonError */
export type Decode = (reader: JsonReader, writer: ByteWriter) => void;

const quote = 0x22;
const backslash = 0x5c;

/** Reads a JSON text (RFC 8259) of well-formed UTF-8, token by token. Each method throws JsonError. */
export class JsonReader {
  readonly bytes: Buffer;
  pos = 0;
  depth = 0;
  /** The key or the index in each open object or array, for the errors. */
  readonly at: (string | number)[] = [];
  /** Depth of the message whose "@type" is a google.protobuf.Any's, already read. */
  anyDepth = -1;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  fail(what: string): never {
    throw new JsonError(this.at.slice(1, this.depth + 1), what);
  }

  /** The next byte that is no white space, not taken; 0 at the end. */
  peek(): number {
    const { bytes } = this;
    for (;;) {
      const byte = this.pos < bytes.length ? (bytes[this.pos] ?? 0) : 0;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.pos += 1;
    }
  }

  /** Takes a `{`. @returns whether there is a member; {@link nextMember} tells of the others */
  openObject(what = 'an object'): boolean {
    if (this.peek() !== 0x7b) this.unexpected(what);
    return this.#enter(0x7d);
  }

  nextMember(): boolean {
    return this.#next(0x7d, '"," or "}"');
  }

  /** Takes a `[`. @returns whether there is an item; {@link nextItem} tells of the others */
  openArray(): boolean {
    if (this.peek() !== 0x5b) this.unexpected('an array');
    const any = this.#enter(0x5d);
    if (any) this.at[this.depth] = 0;
    return any;
  }

  nextItem(): boolean {
    const any = this.#next(0x5d, '"," or "]"');
    if (any) this.at[this.depth] = Number(this.at[this.depth]) + 1;
    return any;
  }

  #enter(end: number): boolean {
    this.pos += 1;
    if (this.depth === depthLimit) this.fail(`more than ${depthLimit} levels of nesting`);
    this.depth += 1;
    this.at[this.depth] = '';
    if (this.peek() !== end) return true;
    this.pos += 1;
    this.depth -= 1;
    return false;
  }

  #next(end: number, what: string): boolean {
    const byte = this.peek();
    if (byte === 0x2c) {
      this.pos += 1;
      return true;
    }
    if (byte !== end) this.malformed(what);
    this.pos += 1;
    this.depth -= 1;
    return false;
  }

  /** Takes a key and its colon. @returns the table's entry for it; undefined for any other key, kept in {@link at} */
  keyIn<T>(table: KeyTable<T>): T | undefined {
    if (this.peek() !== quote) this.malformed('a key in double quotes');
    const { bytes } = this;
    const start = this.pos + 1;
    let pos = start;
    let hash = 0;
    let byte = bytes[pos] ?? 0;
    while (byte !== quote && byte !== backslash && byte >= 0x20) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      byte = bytes[++pos] ?? 0;
    }
    if (byte === quote) {
      const found = table.find(bytes, start, pos, hash);
      if (found !== undefined) {
        this.pos = pos + 1;
        this.#colon();
        return found;
      }
    }
    return table.byName(this.key());
  }

  /** Takes a key and its colon. */
  key(): string {
    if (this.peek() !== quote) this.malformed('a key in double quotes');
    const key = this.string();
    this.at[this.depth] = key;
    this.#colon();
    return key;
  }

  #colon(): void {
    if (this.peek() !== 0x3a) this.malformed('":"');
    this.pos += 1;
  }

  /** Takes a string. */
  string(what = 'a string'): string {
    if (this.peek() !== quote) this.unexpected(what);
    const start = this.pos + 1;
    return this.#endOfString() ? this.bytes.toString('utf8', start, this.pos - 1) : this.#unescape(start - 1);
  }

  /** Takes a string and writes it in UTF-8. */
  copyString(writer: ByteWriter): void {
    if (this.peek() !== quote) this.unexpected('a string');
    const start = this.pos + 1;
    if (this.#endOfString()) writer.raw(this.bytes, start, this.pos - 1);
    else writer.utf8(this.#unescape(start - 1));
  }

  /** Goes behind a string. @returns whether it is as it is written, without an escape */
  #endOfString(): boolean {
    const { bytes } = this;
    const { length } = bytes;
    let plain = true;
    let pos = this.pos + 1;
    for (; pos < length; pos++) {
      const byte = bytes[pos] ?? 0;
      if (byte === quote) {
        this.pos = pos + 1;
        return plain;
      }
      if (byte < 0x20) break;
      if (byte === backslash) {
        plain = false;
        pos += 1;
      }
    }
    this.pos = Math.min(pos, length);
    return this.malformed(pos < length ? 'no control character' : "a string's end");
  }

  #unescape(start: number): string {
    let text: string;
    try {
      text = JSON.parse(this.bytes.toString('utf8', start, this.pos)) as string;
    } catch {
      return this.fail('an escape in a string is malformed');
    }
    return text.isWellFormed() ? text : this.fail('a string holds half a surrogate pair');
  }

  /** Takes a number. @returns its text, undefined when the next token is no number */
  numberText(): string | undefined {
    const byte = this.peek();
    if (byte !== 0x2d && !(byte >= 0x30 && byte <= 0x39)) return undefined;
    const { bytes } = this;
    const start = this.pos;
    let pos = start + 1;
    while (pos < bytes.length && isNumberByte(bytes[pos] ?? 0)) pos += 1;
    const text = bytes.toString('latin1', start, pos);
    if (!jsonNumber.test(text)) this.malformed('a number');
    this.pos = pos;
    return text;
  }

  /** Takes `true`, `false` or `null` when it is next. */
  literal(text: 'true' | 'false' | 'null'): boolean {
    this.peek();
    const { bytes, pos } = this;
    for (let index = 0; index < text.length; index++) {
      if (bytes[pos + index] !== text.charCodeAt(index)) return false;
    }
    this.pos = pos + text.length;
    return true;
  }

  /** Goes behind a value that is neither an object nor an array. */
  skipPlain(): void {
    if (this.peek() === quote) this.#endOfString();
    else if (this.literal('true') || this.literal('false') || this.literal('null')) return;
    else if (this.numberText() === undefined) this.malformed('a value');
  }

  /** @throws JsonError unless nothing but white space is left */
  end(): void {
    this.peek();
    if (this.pos < this.bytes.length) this.malformed('the end');
  }

  /** The next value is of the wrong kind, or no value at all. */
  unexpected(what: string): never {
    const kind = kindOf(this.peek());
    return kind === undefined ? this.malformed('a value') : this.fail(`${what} expected, ${kind} received`);
  }

  malformed(what: string): never {
    return this.fail(`malformed JSON at byte ${this.pos}: ${what} expected`);
  }
}

const jsonNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2e ||
    byte === 0x2d ||
    byte === 0x2b ||
    (byte | 0x20) === 0x65
  );
}

function kindOf(byte: number): string | undefined {
  switch (byte) {
    case 0x7b:
      return 'an object';
    case 0x5b:
      return 'an array';
    case quote:
      return 'a string';
    case 0x74:
    case 0x66:
      return 'a boolean';
    case 0x6e:
      return 'null';
    default:
      return byte === 0x2d || (byte >= 0x30 && byte <= 0x39) ? 'a number' : undefined;
  }
}
