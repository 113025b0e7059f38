/** `adminPassword` has the words of `admin_Password`, and `JWTSecret` those of `JWT_Secret`. */
export function wordsOf(name: string): string {
  return name.replaceAll(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_');
}

/** A word by which what is below it, or behind it in a name, is text for people. */
const forPeople =
  /(?:^|[_.:-])(?:LABELS?|MESSAGES?|PLACEHOLDERS?|TITLES?|HINTS?|HELP|ERRORS?|TRANSLATIONS?|I18N|L10N|STRINGS)[_.:-]/i;
/** Files that are called so, or by a language: `messages_de.properties`, `de.json`, `en-US.yaml`. */
const fileForPeople =
  /(?:^|[_.-])(?:labels|messages|strings|translations?|i18n|l10n|locales?)(?:[_.-]|$)|^[a-z]{2}(?:[-_][A-Za-z]{2,4})?\.(?:json|ya?ml|properties|po|toml)$/i;

/** Whether the keys of a file are about what people read, by its name. */
export function isForPeople(file: string): boolean {
  return fileForPeople.test(file);
}

/** Letters and what stands between them in a sentence. */
const words = /^[\p{L}\p{M}\s'’",.()/-]*[.?!:*…]*$/u;
const about = /(?<!\p{L})(?:password|passphrase|token|secret|credentials?|key)(?!\p{L})/iu;

/**
 * Whether a value is what people read of a password, such as `Forgot your password?`. Elsewhere than in text for people it has to be more than a word, begin with
 * a capital and say what it is about.
 * @param inText - whether all of the file is text for people
 */
export function isLabel(name: string, value: string, inText: boolean): boolean {
  if (!words.test(value) || !/\p{L}/u.test(value)) return false;
  const isSentence = /\s|[.?!:*…]$/.test(value);
  if (inText || forPeople.test(wordsOf(name))) return isSentence || !/\p{Ll}\p{Lu}/u.test(value);
  return isSentence && /^\p{Lu}/u.test(value) && about.test(value);
}
