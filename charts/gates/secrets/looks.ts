import { wordsOf } from './words.ts';

/** Words that name a secret also where they end a longer one: `PGPASSWORD`, `keystorepassword`. */
const anywhere = ['PASSWORD', 'PASSWD', 'PASSPHRASE'];
/** Those that do as a word: `DB_TOKEN`, `dbToken`; not `bypass`. */
const alone = ['(?:REQUIRE)?PASS', 'MASTERAUTH', 'TOKEN', 'SECRET', 'CREDENTIALS?'];
/** What is often written as one word with them. */
const together = [
  '(?:API|PRIVATE|SECRET|ACCESS|SIGNING|ENCRYPTION)[_.:-]?KEY',
  '(?:API|AUTH|ACCESS|BEARER|BOT|REFRESH|SESSION)TOKEN',
  '(?:API|APP|CLIENT|CONSUMER|JWT|SHARED|WEBHOOK)SECRET',
];
/** A name whose last word suggests a secret, also with a number behind it. */
const secretName = new RegExp(
  `(?:[_.:-]PWD|${anywhere.join('|')}|(?:^|[_.:-])(?:${[...alone, ...together].join('|')}))(?:[_.:-]?\\d{1,2})?$`,
  'i',
);
/** Filters of signals, rounds of programs and ways past something are no passwords. */
const otherPass =
  /(?:^|[_.:-])(?:ALL|BAND|BY|FIRST|HIGH|LOW|MULTI|ONE|PROXY|RENDER|SECOND|SHADER|SINGLE|TWO)[_.:-]PASS$/i;
/** What words of models are called, and where a list of pages or changes goes on. */
const otherToken =
  /(?:^|[_.:-])(?:BOS|CLS|DECODER_START|EOS|MASK|PAD|SEP|STOP|UNK|PAGE|SYNC|CONTINUATION)[_.:-]?TOKEN$/i;

/** What kinds of secrets look like. */
const secretValues: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a JWT', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/],
  ['a cloud access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}|\bAccountKey=[A-Za-z0-9+/=]{40,}/],
  [
    'an access token',
    /\b(?:gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|npm_\w{36}|sk_live_\w{16,})/,
  ],
  ['a header with credentials', /\bAuthorization:\s*(?:Basic|Bearer)\s+[\w+/=.~-]{4,}/i],
  [
    'a URL with a password',
    // One that is a variable alone is not here.
    /\b[a-z][a-z\d+.-]{0,30}:\/\/[^\s/?#:@]*:(?!\$(?:\(\w+\)|\{\w+\}|\w+)@)[^\s/?#@]+@/i,
  ],
];

/** The kind of secret that a text looks like. */
export function kindOf(value: string): string | undefined {
  return secretValues.find(([, looks]) => looks.test(value))?.[0];
}

/** Why a named text may be a secret, such as `has the name of a secret`. */
export function reasonOf(name: string, value: string): string | undefined {
  const kind = kindOf(value);
  if (kind !== undefined) return `holds what looks like ${kind}`;
  // Empty, a boolean, or made of other variables only: nothing to hide.
  const harmless = /^(?:true|false|(?:\$\(\w+\))*)$/i.test(value);
  return isSecretName(name) && !harmless ? 'has the name of a secret' : undefined;
}

/** Whether the last word of a name suggests a secret. */
export function isSecretName(name: string): boolean {
  const words = wordsOf(name);
  return secretName.test(words) && !otherPass.test(words) && !otherToken.test(words);
}
