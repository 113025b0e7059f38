/** A name whose last word suggests a secret. */
const secretName =
  /(?:[_.-]PWD|PASSWORD|PASSWD|PASSPHRASE|(?:^|[_.-])(?:(?:REQUIRE)?PASS|MASTERAUTH|TOKEN|SECRET|CREDENTIALS?|(?:API|PRIVATE|SECRET|ACCESS|SIGNING|ENCRYPTION)[_.-]?KEY))$/i;

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
  return secretName.test(wordsOf(name));
}

/** `adminPassword` has the words of `admin_Password`. */
export function wordsOf(name: string): string {
  return name.replaceAll(/(?<=[a-z\d])(?=[A-Z])/g, '_');
}
