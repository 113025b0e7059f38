import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { formatProblem } from '../../../core/problem.ts';
import { jwtProblems } from './jwt-rules.ts';

const sound = { issuer: 'https://id.example', audiences: ['shop'], jwksUri: 'https://id.example/keys' };
const publicKey = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });

/** What is wrong with a setting, as it is shown. */
const problemsOf = (jwt: unknown) => jwtProblems('edge', {}, jwt, []).map(formatProblem);
const problemsWith = (change: object) => problemsOf({ ...sound, ...change });

const readable = 'allowed an RSA, EC or OKP key (RFC 7518 and RFC 8037)';
const noAudience = 'edge: jwt.audiences: without an audience, tokens meant for others would be accepted';
const listOfAudiences = "allowed a list of the values of aud in this edge's tokens";
const noIssuer = 'edge: jwt.issuer: is not an issuer';
const issuerRule = 'allowed the value of iss in its tokens, such as https://id.example';
const insecure =
  'edge: jwt.jwksUri: keys are fetched over HTTPS only: whoever can change them can sign tokens';
const userinfo =
  'has a user or a password in its URL, which everyone who reads the mesh would see; ' +
  'fix: leave it out, and replace the password: it has been in a source file';

test('a sound setting, and none', () => {
  expect(problemsOf(sound)).toEqual([]);
  expect(problemsOf(undefined)).toEqual([]);
});

test.each([
  [null, 'object'],
  ['https://id.example', 'string'],
])('%j is no setting', (jwt, received) => {
  expect(problemsOf(jwt)).toEqual([
    `edge: jwt: is not an object with JWT settings; received "${received}"; allowed { issuer, audiences, jwksUri } or, with the keys themselves, { issuer, audiences, jwks }`,
  ]);
});

test('a list of settings is none either: an edge believes one issuer', () => {
  expect(problemsOf([sound])).toEqual([
    'edge: jwt: is a list, and an edge believes one issuer of tokens; fix: declare an HttpEdge for each issuer, with hosts of its own',
  ]);
});

test.each<[object, string]>([
  ...[
    '',
    'https://id.example/*',
    '*',
    'https://id.example /',
    ' https://id.example',
    ['https://id.example'],
    7,
    null,
  ].map((issuer): [object, string] => [
    { issuer },
    `${noIssuer}; received ${JSON.stringify(issuer)}; ${issuerRule}`,
  ]),
  ...[[], [''], ['shop', ''], ['shop', 7], 'shop', ['*'], ['shop', 'sta*ff'], null].map(
    (audiences): [object, string] => [
      { audiences },
      `${noAudience}; received ${JSON.stringify(audiences)}; ${listOfAudiences}`,
    ],
  ),
  ...[
    'http://id.example/keys',
    'xhttps://id.example/keys',
    'https://id.example/keys and more',
    'https://id.example:99999/keys',
    'https://',
    '',
    ['https://id.example/keys'],
    7,
    null,
  ].map((jwksUri): [object, string] => [
    { jwksUri },
    `${insecure}; received ${JSON.stringify(jwksUri)}; allowed an https:// URL`,
  ]),
])('what would take tokens of others, or keys of anybody, is refused: %j', (change, problem) => {
  expect(problemsWith(change)).toEqual([problem]);
});

test.each([
  [{ issuer: 'https://ada@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  [{ issuer: 'https://:pw@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  // What browsers and Envoy read as a URL, though it is none by RFC 3986.
  [{ issuer: 'https:\\\\ada:pw@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  [{ issuer: 'https:ada:pw@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  [{ issuer: 'https:ada@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  [{ issuer: 'https::pw@id.example' }, `edge: jwt.issuer: ${userinfo}`],
  // No URL, for its port.
  [{ issuer: 'https://ada:pw@id.example:99999' }, `edge: jwt.issuer: ${userinfo}`],
  [{ jwksUri: 'http://ada:pw@id.example/keys' }, `edge: jwt.jwksUri: ${userinfo}`],
])('a password in a URL is never shown: %j', (change, problem) => {
  expect(problemsWith(change)).toEqual([problem]);
});

test.each([
  'robot@id.example',
  'https://id.example/of/ada@id.example',
  'https://id.example/?for=a@b',
  'tag:/ada@id.example',
])('an issuer with an @ that is no password is sound: %s', (issuer) => {
  expect(problemsWith({ issuer })).toEqual([]);
});

describe('key sets', () => {
  const keysOf = (...keys: unknown[]) => problemsWith({ jwksUri: undefined, jwks: { keys } });

  test.each([['keys'], [[]], [null], [{}], [{ keys: [] }], [{ keys: {} }], [[publicKey()]]])(
    '%j is none',
    (jwks) => {
      expect(problemsWith({ jwksUri: undefined, jwks })).toEqual([
        'edge: jwt.jwks: is not a JSON Web Key Set; allowed { keys: [...] } (RFC 7517)',
      ]);
    },
  );

  test('one source of keys, neither two nor none', () => {
    const allowed = 'allowed either jwksUri or jwks';
    expect(problemsWith({ jwks: { keys: [publicKey()] } })).toEqual([
      `edge: jwt: there are two sources of keys; ${allowed}`,
    ]);
    expect(problemsWith({ jwksUri: undefined })).toEqual([
      `edge: jwt: there are no keys to verify tokens with; ${allowed}`,
    ]);
  });

  test('public keys are sound, with what else is in a set', () => {
    const jwks = { keys: [publicKey(), { ...publicKey(), kid: '1', use: 'sig' }], name: 'ours' };
    expect(problemsWith({ jwksUri: undefined, jwks })).toEqual([]);
  });

  test.each([[null], ['key'], [[]], [{}], [{ kty: 7 }]])('%j is no key', (key) => {
    expect(keysOf(publicKey(), key)).toEqual([
      'edge: jwt.jwks.keys[1]: is not a JSON Web Key; allowed an object with kty (RFC 7517)',
    ]);
  });

  test.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])('a key with the private member %s', (member) => {
    expect(keysOf({ ...publicKey(), [member]: 'c2VjcmV0' })).toEqual([
      `edge: jwt.jwks.keys[0]: the key is not public: it has ${member}; ` +
        'fix: give only the public key, and replace this one: it has been in a source file',
    ]);
  });

  test('all private members of a key are told, and a secret shared by its kind alone', () => {
    const fix = 'fix: give only the public key, and replace this one: it has been in a source file';
    expect(keysOf({ ...publicKey(), d: 'a', k: 'b' }, { kty: 'oct' })).toEqual([
      `edge: jwt.jwks.keys[0]: the key is not public: it has d, k; ${fix}`,
      `edge: jwt.jwks.keys[1]: the key is not public: it has kty oct; ${fix}`,
    ]);
  });

  test('a key that cannot be read', () => {
    expect(keysOf({ kty: 'RSA', n: 'a' })).toEqual([
      `edge: jwt.jwks.keys[0]: is not a public key that can be parsed; ${readable}`,
    ]);
  });
});

describe('metadata of claims', () => {
  const rule =
    "allowed 'x-' followed by 1 to 61 of a-z, 0-9, '_' and '-', not ending in '-bin', and not a name that proxies or tracing use";

  test.each([
    'x-b3-traceid',
    'x-envoy-peer-metadata',
    'x-forwarded-for',
    'x-istio-attributes',
    'x-request-id',
    'x-real-ip',
    'x-served-by',
    'x-inventory-served-by',
    'x-user-bin',
    'x-',
    `x-${'a'.repeat(62)}`,
    'x-User',
    'user',
    'ax-user',
    'x-user ',
    ['x-user'],
    7,
  ])('%j, which is none, or poses as another', (metadata) => {
    expect(problemsWith({ claims: { sub: metadata } })).toEqual([
      `edge: jwt.claims.sub: is not a metadata name that a claim may use; received ${JSON.stringify(metadata)}; ${rule}`,
    ]);
  });

  test.each([
    'x-a',
    `x-${'a'.repeat(61)}`,
    'x-request-ids',
    'x-binary',
    'x-user_1',
    'x-my-b3-id',
    'x-real-ips',
  ])('%s is sound', (metadata) => {
    expect(problemsWith({ claims: { sub: metadata } })).toEqual([]);
  });

  test('one name for each claim, and what is wrong with a claim is all that is said of it', () => {
    const claims = { 'a b': 'x-a', sub: 'x-user', tenant: 'x-tenant', user: 'x-user', other: 'x-tenant' };
    const plain =
      "allowed the claim's name without spaces and brackets, with dots between the levels of nested objects";
    expect(problemsWith({ claims })).toEqual([
      `edge: jwt.claims: is not the name of a claim; received "a b"; ${plain}`,
      'edge: jwt.claims.user: the metadata already carries the claim sub; received "x-user"',
      'edge: jwt.claims.other: the metadata already carries the claim tenant; received "x-tenant"',
    ]);
  });

  test.each([['x-user'], [['sub']], [null]])('%j is no object of them', (claims) => {
    expect(problemsWith({ claims })).toEqual([
      `edge: jwt.claims: is not an object; received ${JSON.stringify(claims)}; allowed metadata by claim, such as { sub: 'x-user' }`,
    ]);
  });
});

describe('rules', () => {
  const path =
    "allowed the claim's name, with dots between the levels of nested objects, such as realm.roles; or each name in brackets, if one contains a dot " +
    'itself, such as [kubernetes.io][namespace]';

  const noMethod = (value: string) =>
    `edge: jwt.rules[0].method: is not a method of a declared service; received ${value}; allowed SERVICE.method.NAME`;
  const valuesOf = (values: unknown) =>
    problemsWith({ rules: [{ method: 'a', claim: 'role', values }] }).filter((line) =>
      line.includes('.values'),
    );

  test.each([[[]], [['']], [['a', null]], ['a'], [undefined]])('%j are no values', (values) => {
    expect(valuesOf(values)).toEqual([
      `edge: jwt.rules[0].values: is not a list of values; received ${values === undefined ? 'nothing' : JSON.stringify(values)}; allowed a list of at least one string`,
    ]);
  });

  test.each([['*'], ['a*'], ['*a']])('%s stands for any text', (value) => {
    expect(valuesOf(['b', value])).toEqual([
      `edge: jwt.rules[0].values: Istio reads '*' at the start or end of a value as a wildcard; received ["b",${JSON.stringify(value)}]; fix: list each value`,
    ]);
  });

  test("a '*' inside of a value is itself", () => {
    expect(valuesOf(['a*b'])).toEqual([]);
  });

  test.each([[null], ['sub'], [['sub']]])('%j is no rule', (rule) => {
    expect(problemsWith({ rules: [rule] })).toEqual([
      noMethod('nothing'),
      `edge: jwt.rules[0].claim: is not the name of a claim; received nothing; ${path}`,
      'edge: jwt.rules[0].values: is not a list of values; received nothing; allowed a list of at least one string',
    ]);
  });

  test.each([[[true]], [['a', 1]]])('%j are no texts, which is all that Istio compares', (values) => {
    expect(valuesOf(values)).toEqual([
      'edge: jwt.rules[0].values: Istio compares only strings: a claim that is a boolean or a number would never match; ' +
        `received ${JSON.stringify(values)}; allowed strings; fix: have the issuer put it into a string, and require that`,
    ]);
  });

  test('a key that no rule has', () => {
    const rule = { method: 'a', claim: 'role', values: ['a'], value: 'b' };
    expect(problemsWith({ rules: [rule] })).toEqual([
      noMethod('"a"'),
      'edge: jwt.rules[0].value: unknown key; received "value"; allowed method, claim, values; fix: did you mean values?',
    ]);
  });

  test('what needs no token is named by its place', () => {
    expect(problemsWith({ except: ['a'] })).toEqual([
      'edge: jwt.except[0]: is not a method of a declared service; received "a"; allowed SERVICE.method.NAME',
    ]);
  });

  test.each(['except', 'rules'])('%s has to be a list, and nothing else is then said of either', (key) => {
    const other = key === 'except' ? 'rules' : 'except';
    expect(problemsWith({ [key]: {}, [other]: ['a'] })).toEqual([
      `edge: jwt.${key}: is not a list; received {}`,
    ]);
  });
});
