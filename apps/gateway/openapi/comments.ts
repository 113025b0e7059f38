import type {
  DescEnum,
  DescEnumValue,
  DescField,
  DescMessage,
  DescMethod,
  DescService,
} from '@bufbuild/protobuf';

import { endOfSentence, published } from './sentences.ts';

/** Comments by fully qualified name. */
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
    const text = published(this.#texts[nameOf(desc)] ?? '');
    return text === '' ? {} : { description: text };
  }

  /** The comment at a method: its first sentence, or its name in words without one, and what follows it. */
  ofMethod(method: DescMethod): { summary: string; description?: string } {
    const { description = '' } = this.of(method);
    const end = endOfSentence(description);
    const summary = description.slice(0, end).replaceAll(/\s+/g, ' ').replace(/\.$/, '');
    const rest = description.slice(end).trim();
    return {
      summary: summary === '' ? inWords(method.name) : summary,
      ...(rest === '' ? {} : { description: rest }),
    };
  }
}

/** `GetHTTPRoute` as `Get HTTP route`. */
function inWords(name: string): string {
  const words = name.split(/_|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/);
  return words
    .map((word, index) => (index === 0 || /^[A-Z0-9]+$/.test(word) ? word : word.toLowerCase()))
    .join(' ');
}

function nameOf(desc: DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue): string {
  return 'typeName' in desc ? desc.typeName : `${desc.parent.typeName}.${desc.name}`;
}
