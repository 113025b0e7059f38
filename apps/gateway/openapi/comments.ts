import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
} from '@bufbuild/protobuf';

/** Comments by fully qualified name, as gen/comments.js has them. */
export type CommentTexts = Readonly<Record<string, string | undefined>>;

/** What protos say in comments. */
export class Comments {
  readonly #texts: CommentTexts;

  constructor(texts: CommentTexts) {
    this.#texts = texts;
  }

  /** The comment at a declaration. */
  of(desc: DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue): {
    description?: string;
  } {
    const text = this.#texts[nameOf(desc)];
    return text === undefined ? {} : { description: text };
  }

  /** The comment at a method: its first sentence, and what follows it. */
  ofMethod(method: DescMethod): { summary?: string; description?: string } {
    const { description } = this.of(method);
    if (description === undefined) return {};
    const end = description.search(/\.\s/);
    if (end < 0) return { summary: description.replace(/\.$/, '') };
    return { summary: description.slice(0, end), description: description.slice(end + 1).trim() };
  }
}

function nameOf(desc: DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue): string {
  return 'typeName' in desc ? desc.typeName : `${desc.parent.typeName}.${desc.name}`;
}
