import ts from 'typescript';
import { takenContainers } from '../core/names.ts';
import type { Problem } from '../core/problem.ts';

/** The names of a new service, in each notation that needs it. */
export interface ServiceNames {
  /** As given: folder below apps/, image, host name. `gift-cards` */
  readonly name: string;
  /** Component of the proto package, its folder and its file, as buf's style guide requires. `gift_cards` */
  readonly snake: string;
  /** `giftCards` */
  readonly camel: string;
  /** `GiftCards`; the proto service is this and `Service`. */
  readonly pascal: string;
  /** The first component of the project's proto packages, and their folder below proto/ and gen/. `shop` */
  readonly protoPackage: string;
  /** Fully qualified: `shop.gift_cards.v1.GiftCardsService` */
  readonly typeName: string;
  /** Name of one stored item. */
  readonly one: Noun;
  /** Plural of it; also the HTTP path, `/v1/gift-cards`. */
  readonly many: Noun;
}

/** A noun in each notation. */
export interface Noun {
  readonly kebab: string;
  readonly snake: string;
  readonly camel: string;
  readonly pascal: string;
  /** `gift card` */
  readonly words: string;
}

const rule =
  'words of a-z and 0-9 joined by single hyphens, starting with a letter, at most 40 characters, such as gift-cards';

/** The first component of proto packages. */
export const protoPackageRule = /^[a-z][a-z0-9]{0,30}$/;

/** Fields that every JavaScript object has: the proto generator renames them. */
const objectFields = ['constructor', 'toString', 'valueOf', 'toJson'];

/** The names of a service of a project with such proto packages, or the problem with the given name. */
export function namesOf(name: string, protoPackage: string): ServiceNames | Problem {
  const where = 'npm run new';
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.length > 40) {
    return { where, what: 'is not a valid service name', received: name, allowed: rule };
  }
  if (takenContainers.includes(name)) {
    const what = 'is the name of a container that Istio or the HTTP gateway has in every pod';
    return { where, what, received: name, fix: 'choose another name' };
  }
  const { snake, camel, pascal } = notations(name);
  if (/(^|-)service$/.test(name)) {
    const shorter = name.replace(/(-service)+$/, '');
    return {
      where,
      what: `ends in "service": its proto service would be called ${pascal}Service`,
      received: name,
      fix: shorter === 'service' ? 'choose another name' : `run \`npm run new -- ${shorter}\``,
    };
  }
  const one = notations(singular(name));
  const many = notations(one.kebab === name ? plural(name) : name);
  const taken = [camel, one.camel, many.camel].find(
    (word) => objectFields.includes(word) || word === 'google' || (word === camel && isReserved(word)),
  );
  if (taken !== undefined) {
    const what = `${taken} is a reserved word in TypeScript or protobuf`;
    return { where, what, received: name, fix: 'choose another name' };
  }
  const typeName = `${protoPackage}.${snake}.v1.${pascal}Service`;
  return { name, snake, camel, pascal, protoPackage, typeName, one, many };
}

/** Whether the word cannot name a constant of a module in strict mode. */
function isReserved(word: string): boolean {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true, ts.LanguageVariant.Standard, word);
  const kind = scanner.scan();
  return (
    (kind >= ts.SyntaxKind.FirstReservedWord && kind <= ts.SyntaxKind.LastFutureReservedWord) ||
    ['arguments', 'await', 'eval', 'undefined'].includes(word)
  );
}

function notations(kebab: string): Noun {
  const words = kebab.split('-');
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return {
    kebab,
    snake: words.join('_'),
    camel: pascal.charAt(0).toLowerCase() + pascal.slice(1),
    pascal,
    words: words.join(' '),
  };
}

/** By the common rules of English; correct a wrong result by hand in the proto. */
function singular(word: string): string {
  if (/[^aeiou]ies$/.test(word)) return word.replace(/ies$/, 'y');
  if (/(ss|sh|ch|x|z)es$/.test(word)) return word.slice(0, -2);
  if (/[^-sui]s$/.test(word)) return word.slice(0, -1);
  return word;
}

function plural(word: string): string {
  if (/[^aeiou]y$/.test(word)) return word.replace(/y$/, 'ies');
  return /(s|sh|ch|x|z)$/.test(word) ? `${word}es` : `${word}s`;
}
