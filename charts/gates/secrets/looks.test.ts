import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isElsewhere, isFile } from './elsewhere.ts';
import { isSecretName } from './looks.ts';

const secretWords = [
  'password',
  'passwd',
  'passphrase',
  'token',
  'secret',
  'credential',
  'credentials',
  'pass',
];
const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);
/** A name of some words in each notation. */
const notations: readonly ((words: readonly string[]) => string)[] = [
  (words) => words.join('_'),
  (words) => words.join('-'),
  (words) => words.join('.'),
  (words) => words.join('_').toUpperCase(),
  (words) => words.map((word, index) => (index === 0 ? word : capital(word))).join(''),
  (words) => words.map(capital).join(''),
  // An abbreviation in front, as in JWTSecret.
  ([first = '', ...rest]) => first.toUpperCase() + rest.map(capital).join(''),
];
const notation = fc.constantFrom(...notations);
const word = fc.stringMatching(/^[bcdfghjkmnqvwxz]{2,8}$/);
const some = fc.array(word, { minLength: 1, maxLength: 3 });

describe('a name', () => {
  test('is that of a secret by its last word, in whatever notation', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...secretWords), notation, (before, last, write) => {
        expect(isSecretName(write([...before, last]))).toBe(true);
      }),
    );
  });

  test('is none where another word follows', () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...secretWords), word, notation, (before, inner, last, write) => {
        expect(isSecretName(write([...before, inner, last]))).toBe(false);
      }),
    );
  });

  test('is none where the word is a part of another one', () => {
    const inner = fc.constantFrom('token', 'secret', 'pass', 'credential');
    fc.assert(
      fc.property(some, word, inner, notation, (before, start, end, write) => {
        expect(isSecretName(write([...before, start + end]))).toBe(false);
      }),
    );
  });

  test.each([
    ...['apiToken', 'APIToken', 'api-token', 'API_TOKEN_2', 'authtoken', 'AccessToken1', 'db:token'],
    ...['JWTSecret', 'clientsecret', 'CLIENT-SECRET', 'secret_2', 'AWSSecretKey', 'aws_secret_access_key'],
    ...['PGPASSWORD', 'keystorepassword', 'dbPassword2', 'sshPassphrase', 'x-api-key', 'stripeApiKey'],
  ])('%s is that of a secret', (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  test.each([
    ...['secretary', 'secretName', 'secrets', 'nonSecretText', 'topsecret'],
    ...['tokenizer', 'tokens', 'max_tokens', 'eosToken', 'stop_token', 'nextPageToken', 'sync-token'],
    ...['compass', 'bypass', 'by_pass', 'lowPass', 'high-pass', 'proxy_pass', 'passive', 'passport'],
    ...[
      'credentialed',
      'publicKey',
      'sortKey',
      'monkey',
      'hotkey',
      'keyboard',
      'passwordPolicy',
      'password_file',
    ],
  ])('%s is not', (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe('a value', () => {
  const label = fc.stringMatching(/^[a-z\d](?:[a-z\d-]{0,20}[a-z\d])?$/);

  test('in base64 with letters and digits holds a secret, whatever it begins with', () => {
    const bytes = fc
      .uint8Array({ minLength: 12, maxLength: 48 })
      .map((all) => Buffer.from(all).toString('base64'));
    const mixed = bytes.filter((text) => [/[a-z]/, /[A-Z]/, /\d/].every((of) => of.test(text.slice(1))));
    fc.assert(
      fc.property(mixed, fc.constantFrom('', '/'), fc.boolean(), (text, start, inShell) => {
        expect(isElsewhere('CLIENT_SECRET', start + text, inShell)).toBe(false);
        expect(isFile(start + text)).toBe(false);
      }),
    );
  });

  test('of a Secret for certificates or registries is its name; of any other it is the secret', () => {
    fc.assert(
      fc.property(label, label, fc.constantFrom(...notations), (namespace, name, write) => {
        const named = `${namespace}/${name}x`;
        expect(isElsewhere(write(['own', 'tls', 'secret']), named, false)).toBe(true);
        expect(isElsewhere(write(['own', 'client', 'secret']), named, false)).toBe(false);
      }),
    );
  });

  test('that is a variable in full is none, and what only begins as one is', () => {
    const upper = fc.stringMatching(/^[A-Z][A-Z\d_]{0,10}$/);
    fc.assert(
      fc.property(upper, fc.stringMatching(/^[a-z!#%]{1,5}$/), (name, rest) => {
        for (const value of [`$${name}`, `\${${name}}`, `$(${name})`])
          expect(isElsewhere('PASSWORD', value, false)).toBe(true);
        expect(isElsewhere('PASSWORD', `$${name}${rest}`, false)).toBe(false);
      }),
    );
  });

  test.each<readonly [string, string]>([
    ...['0', '1', 'true', 'off', '~/token', './token', '/run/secrets/token'].map(
      (value) => ['PASSWORD', value] as const,
    ),
    ['pass', '2'],
    ['password', '$db_password2'],
    ['password', '$dbPassword'],
    ['image-pull-secret', 'registry-key'],
    ['fetch.credentials', 'omit'],
  ])('of %s stands elsewhere: %s', (name, value) => {
    expect(isElsewhere(name, value, false)).toBe(true);
  });

  test.each<[string, string]>([
    ['PASSWORD', '7'],
    ['SECRET', '2'],
    ['API_TOKEN', '123456'],
    ['CLIENT_SECRET', 'abc/def'],
    ['APP_SECRET', 'abc'],
    ['TLS_SECRET', 'A/b'],
    ['PASSWORD', '$hunter'],
    ['PASSWORD', '$ecr3tPassw0rd'],
    ['PASSWORD', 'omit'],
  ])('of %s is one: %s', (name, value) => {
    expect(isElsewhere(name, value, false)).toBe(false);
  });

  test.each(['/run/secrets/token', '/var/run/gcp.json', 'file:///etc/pw', '/keys/tls.key'])(
    'of a variable may be a file: %s',
    (value) => {
      expect(isFile(value)).toBe(true);
    },
  );

  test.each(['/9j4AAQSkZJRgABAQE', '/x', 'run/secrets', '/run/../hunter2', '/run/a b', '$FILE'])(
    'is none: %s',
    (value) => {
      expect(isFile(value)).toBe(false);
    },
  );
});
