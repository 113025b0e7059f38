import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { boundSibling, isBound, nothingBound } from '../../../http-rule/bound.ts';
import type { Bound } from '../../../http-rule/bound.ts';
import { wrappedType } from '../../../http-rule/fields.ts';
import { behaviorOf } from './behavior.ts';
import type { Comments } from './comments.ts';
import { constraintsOf, isRequired } from './constraints.ts';
import type { Schema } from './types.ts';
import { mapKeys, orNull, scalars, urlMask, wellKnown } from './well-known.ts';
import type { Side } from './well-known.ts';

const nothingAnswered: ReadonlySet<string> = new Set();

/**
 * The schemas of messages and enums in their JSON form, each made when it is first asked for. A request's are what the
 * gateway takes and the service asks for, in one of the ways to write it (docs/transcoding.md has the others); an answer's
 * are all that may come, also from a service that is newer than the document.
 */
export class Schemas {
  readonly #made = new Map<string, Schema>();
  readonly #comments: Comments;
  readonly #answered: ReadonlySet<string>;

  /** @param answered - the types of answers: those of requests have another name where they are among them */
  constructor(comments: Comments, answered = nothingAnswered) {
    this.#comments = comments;
    this.#answered = answered;
  }

  /** Those made so far, by the name of their type. */
  get all(): Readonly<Record<string, Schema>> {
    return Object.fromEntries([...this.#made].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A message of a request, without what the path has of it. */
  ofMessage(message: DescMessage, bound: Bound = nothingBound): Schema {
    return bound.size === 0 ? this.#message(message, 'request') : this.#rest(message, bound);
  }

  /** A field of a request with what its proto says of it, without what the path has of its message. */
  ofField(field: DescField, bound: Bound = nothingBound): Schema {
    const { keywords, entries } = constraintsOf(field);
    const inner = bound.get(field);
    const schema =
      inner === undefined || inner.size === 0 || field.fieldKind !== 'message'
        ? narrowed(this.#plain(field, 'request', entries), keywords)
        : this.#rest(field.message, inner);
    const { inputOnly } = behaviorOf(field);
    return { ...schema, ...this.#said(field), ...(inputOnly ? { writeOnly: true } : {}) };
  }

  /** The schema of a field in a path or a query, where no text is null. */
  ofParameter(field: DescField): Schema {
    const plain = textOf(field);
    if (plain === undefined) return this.ofField(field);
    const { keywords, entries } = constraintsOf(field);
    const list = field.fieldKind === 'list';
    return {
      ...narrowed(list ? { type: 'array', items: narrowed(plain, entries) } : plain, keywords),
      ...this.#said(field),
    };
  }

  /** A message of an answer. */
  ofAnswer(message: DescMessage): Schema {
    return this.#message(message, 'answer');
  }

  /** The schema of a field that is all of an answer: what has presence and is not set is null. */
  ofPart(field: DescField): Schema {
    const schema = this.#answerField(field);
    const bare =
      field.fieldKind !== 'list' &&
      field.fieldKind !== 'map' &&
      field.presence !== FeatureSet_FieldPresence.IMPLICIT;
    return bare ? orNull(schema) : schema;
  }

  #answerField(field: DescField): Schema {
    const { outputOnly } = behaviorOf(field);
    return {
      ...this.#plain(field, 'answer', {}),
      ...this.#said(field),
      ...(outputOnly ? { readOnly: true } : {}),
    };
  }

  #said(field: DescField): Schema {
    return { ...this.#comments.of(field), ...deprecated(field) };
  }

  #plain(field: DescField, side: Side, entries: Schema): Schema {
    switch (field.fieldKind) {
      case 'list':
        return { type: 'array', items: narrowed(this.#value(field, side), entries) };
      case 'map': {
        const names = mapKeys(field.mapKey);
        const additionalProperties = narrowed(this.#value(field, side), entries);
        return {
          type: 'object',
          additionalProperties,
          ...(names === undefined ? {} : { propertyNames: names }),
        };
      }
      default: {
        // An entry of a list or of a map cannot be null.
        const value = this.#value(field, side);
        return field.message !== undefined && wrappedType(field.message) !== undefined
          ? orNull(value)
          : value;
      }
    }
  }

  #value({ message, enum: type, scalar }: DescField, side: Side): Schema {
    if (message !== undefined) return this.#message(message, side);
    if (type !== undefined) return this.#enum(type, side);
    return scalars[scalar];
  }

  #message(message: DescMessage, side: Side): Schema {
    const known = wellKnown(message, side);
    if (known !== undefined) return known;
    return this.#reference(message.typeName, side, () =>
      side === 'request' ? this.#rest(message, nothingBound) : this.#whole(message),
    );
  }

  #enum(type: DescEnum, side: Side): Schema {
    if (type.typeName === 'google.protobuf.NullValue') return { type: 'null' };
    return this.#reference(type.typeName, side, () => {
      const told = type.values.flatMap((value) => {
        const { description } = this.#comments.of(value);
        return description === undefined ? [] : [`- ${value.name}: ${description}`];
      });
      const { description } = this.#comments.of(type);
      const texts = [
        ...(description === undefined ? [] : [description]),
        ...(told.length > 0 ? [told.join('\n')] : []),
      ];
      const names = { type: 'string', enum: type.values.map(({ name }) => name) };
      return {
        // A value that the gateway has no name for is its number.
        ...(side === 'request' ? names : { anyOf: [names, { type: 'integer', format: 'int32' }] }),
        ...(texts.length === 0 ? {} : { description: texts.join('\n\n') }),
        ...deprecated(type),
      };
    });
  }

  /** What a request has of a message beside what its path has. */
  #rest(message: DescMessage, bound: Bound): Schema {
    const fields = message.fields.filter(
      (field) =>
        !isBound(field, bound) && boundSibling(field, bound) === undefined && !behaviorOf(field).outputOnly,
    );
    // The path gives a message when it gives a field of it.
    const required = fields.filter(
      (field) => !bound.has(field) && (constraintsOf(field).required || behaviorOf(field).required),
    );
    const choices = message.oneofs.flatMap((oneof) => {
      if (oneof.fields.some((field) => bound.has(field))) return [];
      const members = oneof.fields
        .filter((field) => fields.includes(field))
        .map(({ jsonName }) => ({ required: [jsonName] }));
      if (members.length === 0) return [];
      return [{ oneOf: isRequired(oneof) ? members : atMostOne(members) }];
    });
    return {
      type: 'object',
      ...this.#comments.of(message),
      ...deprecated(message),
      properties: propertiesOf(fields, (field) => this.ofField(field, bound)),
      ...(required.length === 0 ? {} : { required: required.map(({ jsonName }) => jsonName) }),
      ...(choices.length === 0 ? {} : { allOf: choices }),
      additionalProperties: false,
    };
  }

  /** All that an answer may have of a message: no rule of a request counts for it. */
  #whole(message: DescMessage): Schema {
    const fields = message.fields.filter((field) => !behaviorOf(field).inputOnly);
    const choices = message.oneofs.flatMap((oneof) => {
      const members = oneof.fields
        .filter((field) => fields.includes(field))
        .map(({ jsonName }) => ({ required: [jsonName] }));
      return members.length === 0 ? [] : [{ oneOf: atMostOne(members) }];
    });
    return {
      type: 'object',
      ...this.#comments.of(message),
      ...deprecated(message),
      properties: propertiesOf(fields, (field) => this.#answerField(field)),
      ...(choices.length === 0 ? {} : { allOf: choices }),
    };
  }

  #reference(type: string, side: Side, make: () => Schema): Schema {
    const name = side === 'request' && this.#answered.has(type) ? `${type}-Input` : type;
    if (!this.#made.has(name)) {
      // A message may hold itself.
      this.#made.set(name, {});
      this.#made.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

function propertiesOf(fields: readonly DescField[], schemaOf: (field: DescField) => Schema): Schema {
  return Object.fromEntries(fields.map((field) => [field.jsonName, schemaOf(field)]));
}

function atMostOne(members: readonly Schema[]): readonly Schema[] {
  return [...members, { not: { anyOf: members } }];
}

/** A schema that takes no more than the keywords beside it do. A choice stays one: its first is what they speak of. */
function narrowed(schema: Schema, keywords: Schema): Schema {
  const [ours, theirs] = [schema['anyOf'], keywords['anyOf']] as readonly (readonly Schema[] | undefined)[];
  const [first, ...others] = ours ?? [];
  if (first === undefined || theirs === undefined) return { ...schema, ...keywords };
  return { ...schema, ...keywords, anyOf: [...theirs.map((choice) => ({ ...first, ...choice })), ...others] };
}

/** What is another text in a path or a query than in JSON; undefined for what is the same in both. */
function textOf({ message, enum: type }: DescField): Schema | undefined {
  const wrapped = message === undefined ? undefined : wrappedType(message);
  if (wrapped !== undefined) return scalars[wrapped];
  if (message?.typeName === 'google.protobuf.FieldMask') return urlMask;
  const isNull = type?.typeName === 'google.protobuf.NullValue';
  return isNull ? { enum: type.values.map(({ name }) => name) } : undefined;
}

/** Whether the proto says that something is no more to be used. */
export function deprecated({ deprecated: is }: { readonly deprecated: boolean }): { deprecated?: true } {
  return is ? { deprecated: true } : {};
}
