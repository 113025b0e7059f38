import type { JsonReader } from './json-reader.ts';

const ofTexts = new WeakMap<JsonReader, AnyTypes>();

/**
 * Where the "@type" of each object of one JSON text stands. An Any's may come after all of its members, and in them
 * there may be Any again: an object that is looked through ahead of its turn is looked through once with all that is in
 * it, so that the work follows the text's size and not its depth.
 */
export class AnyTypes {
  /** By where an object begins, where the value of its "@type" does; 0 when it has more than one. */
  readonly #places = new Map<number, number>();
  /** Objects that begin before it have been looked through. */
  #through = 0;

  /** Those of the text that is being read. */
  static of(reader: JsonReader): AnyTypes {
    const known = ofTexts.get(reader);
    if (known !== undefined) return known;
    const made = new AnyTypes();
    ofTexts.set(reader, made);
    return made;
  }

  /**
   * The "@type" of the object that starts here, which is not taken; undefined for an empty object, which is taken.
   * @throws JsonError when it is missing, given twice or no string
   */
  find(reader: JsonReader): string | undefined {
    if (reader.peek() !== 0x7b) reader.unexpected('an object');
    const { pos } = reader;
    if (pos >= this.#through) {
      this.#lookThrough(reader);
      this.#through = reader.pos;
      reader.pos = pos;
    }
    const place = this.#places.get(pos);
    if (place === undefined) {
      if (!reader.openObject()) return undefined;
      reader.depth -= 1;
      reader.fail('"@type" is missing');
    }
    reader.depth += 1;
    reader.at[reader.depth] = '@type';
    if (place === 0) reader.fail('given more than once');
    reader.pos = place;
    const typeUrl = reader.string();
    reader.pos = pos;
    reader.depth -= 1;
    return typeUrl;
  }

  /** Goes behind a value of any kind. */
  #lookThrough(reader: JsonReader): void {
    const byte = reader.peek();
    if (byte === 0x7b) {
      const { pos } = reader;
      for (let more = reader.openObject(); more; more = reader.nextMember()) {
        if (reader.key() === '@type') this.#places.set(pos, this.#places.has(pos) ? 0 : reader.pos);
        this.#lookThrough(reader);
      }
    } else if (byte === 0x5b) {
      for (let more = reader.openArray(); more; more = reader.nextItem()) this.#lookThrough(reader);
    } else reader.skipPlain();
  }
}
