import { ScalarType } from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { wrappedType } from '../../../http-rule/fields.ts';
import type { Comments } from './comments.ts';
import { constraintsOf, isRequired } from './constraints.ts';
import type { Schema } from './types.ts';
import { orNull, scalars, wellKnown } from './well-known.ts';

/**
 * The schemas of messages and enums in their JSON form, each made when it is first asked for. They describe answers;
 * requests may write the same values in other ways as well (docs/transcoding.md).
 */
export class Schemas {
  readonly #made = new Map<string, Schema>();
  readonly #comments: Comments;

  constructor(comments: Comments) {
    this.#comments = comments;
  }

  /** Those made so far, by the name of their type. */
  get all(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  ofMessage(message: DescMessage): Schema {
    return wellKnown(message) ?? this.#reference(message.typeName, () => this.#object(message));
  }

  /** A field's schema with what its proto says of it. */
  ofField(field: DescField): Schema {
    const { keywords, entries } = constraintsOf(field);
    return {
      ...narrowed(this.#plain(field, entries), keywords),
      ...this.#comments.of(field),
      ...deprecated(field),
    };
  }

  /** The schema of a field in a path or a query, where no text is null. */
  ofParameter(field: DescField): Schema {
    const plain = textOf(field);
    if (plain === undefined) return this.ofField(field);
    const { keywords, entries } = constraintsOf(field);
    const list = field.fieldKind === 'list';
    return {
      ...narrowed(list ? { type: 'array', items: narrowed(plain, entries) } : plain, keywords),
      ...this.#comments.of(field),
      ...deprecated(field),
    };
  }

  /** The schema of a field that is a body of its own: what has presence and is not set is null. */
  ofBody(field: DescField): Schema {
    const schema = this.ofField(field);
    const bare =
      field.fieldKind !== 'list' &&
      field.fieldKind !== 'map' &&
      field.presence !== FeatureSet_FieldPresence.IMPLICIT;
    return bare ? orNull(schema) : schema;
  }

  #plain(field: DescField, entries: Schema): Schema {
    switch (field.fieldKind) {
      case 'list':
        return { type: 'array', items: narrowed(this.#value(field), entries) };
      case 'map': {
        const names = mapKeys(field.mapKey);
        const additionalProperties = narrowed(this.#value(field), entries);
        return {
          type: 'object',
          additionalProperties,
          ...(names === undefined ? {} : { propertyNames: names }),
        };
      }
      default:
        return this.#value(field);
    }
  }

  #value({ message, enum: type, scalar }: DescField): Schema {
    if (message !== undefined) return this.ofMessage(message);
    if (type !== undefined) return this.#enum(type);
    return scalars[scalar];
  }

  #enum(type: DescEnum): Schema {
    if (type.typeName === 'google.protobuf.NullValue') return { type: 'null' };
    return this.#reference(type.typeName, () => {
      const told = type.values.flatMap((value) => {
        const { description } = this.#comments.of(value);
        return description === undefined ? [] : [`- ${value.name}: ${description}`];
      });
      const { description } = this.#comments.of(type);
      const texts = [
        ...(description === undefined ? [] : [description]),
        ...(told.length > 0 ? [told.join('\n')] : []),
      ];
      return {
        type: 'string',
        enum: type.values.map(({ name }) => name),
        ...(texts.length === 0 ? {} : { description: texts.join('\n\n') }),
        ...deprecated(type),
      };
    });
  }

  #object(message: DescMessage): Schema {
    const required = message.fields.filter((field) => constraintsOf(field).required);
    const choices = message.oneofs.map((oneof) => {
      const members = oneof.fields.map(({ jsonName }) => ({ required: [jsonName] }));
      return { oneOf: isRequired(oneof) ? members : [...members, { not: { anyOf: members } }] };
    });
    return {
      type: 'object',
      ...this.#comments.of(message),
      ...deprecated(message),
      properties: Object.fromEntries(message.fields.map((field) => [field.jsonName, this.ofField(field)])),
      ...(required.length === 0 ? {} : { required: required.map(({ jsonName }) => jsonName) }),
      ...(choices.length === 0 ? {} : { allOf: choices }),
    };
  }

  #reference(name: string, make: () => Schema): Schema {
    if (!this.#made.has(name)) {
      // A message may hold itself.
      this.#made.set(name, {});
      this.#made.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

/** A schema that takes no more than the keywords beside it do. A choice stays one: its first is what they speak of. */
function narrowed(schema: Schema, keywords: Schema): Schema {
  const [ours, theirs] = [schema['anyOf'], keywords['anyOf']] as readonly (readonly Schema[] | undefined)[];
  const [first, ...others] = ours ?? [];
  if (first === undefined || theirs === undefined) return { ...schema, ...keywords };
  return { ...schema, ...keywords, anyOf: [...theirs.map((choice) => ({ ...first, ...choice })), ...others] };
}

/** The keys of a map are strings in JSON, whatever they are in the proto. */
function mapKeys(key: ScalarType): Schema | undefined {
  if (key === ScalarType.STRING) return undefined;
  if (key === ScalarType.BOOL) return { enum: ['true', 'false'] };
  const { pattern, minimum } = scalars[key];
  return { pattern: pattern ?? (minimum === 0 ? '^[0-9]{1,10}$' : '^-?[0-9]{1,10}$') };
}

/** What can be null in JSON and not in a text; undefined for what is the same in both. */
function textOf({ message, enum: type }: DescField): Schema | undefined {
  const wrapped = message === undefined ? undefined : wrappedType(message);
  if (wrapped !== undefined) return scalars[wrapped];
  const isNull = type?.typeName === 'google.protobuf.NullValue';
  return isNull ? { enum: type.values.map(({ name }) => name) } : undefined;
}

/** Whether the proto says that something is no more to be used. */
export function deprecated({ deprecated: is }: { readonly deprecated: boolean }): { deprecated?: true } {
  return is ? { deprecated: true } : {};
}
