import { expect, test } from '@jest/globals';
import { settingsIn } from './files.ts';

const named = 'has the name of a secret';

test.each([
  ['properties', 'db.url=x\ndb.password=hunter2\n', 'db.password'],
  ['variables', '# of the shop\nexport API_TOKEN="hunter2"\n', 'API_TOKEN'],
  ['YAML', 'auth:\n  user: shop\n  password: hunter2\n', 'password'],
  ['a list in it', 'users:\n  - password: "hunter2"\n', 'password'],
  ['TOML', "[db]\npassword = 'hunter2'\n", 'password'],
  ['JSON', '{"db":{"users":[{"password":"hunter2"}]}}', 'db.users.0.password'],
  ['JSON with comments', '{\n  // of the shop\n  "clientSecret": "hunter2",\n}', 'clientSecret'],
  ['a server’s own', 'port 6379\r\nrequirepass hunter2\r\n', 'requirepass'],
])('a secret in %s is found by its name', (_, text, name) => {
  expect(settingsIn(text)).toEqual([{ name, reason: named }]);
});

test('by its looks as well, and each name once', () => {
  const url = 'postgres://shop:hunter2@db.example/shop';
  expect(settingsIn(`url: ${url}\ntoken=a1b2c3d\ntoken=d4e5f6a`)).toEqual([
    { name: 'url', reason: 'holds what looks like a URL with a password' },
    { name: 'token', reason: named },
  ]);
});

test.each([
  'password=',
  'password: ""',
  'password: |',
  'password: ${DB_PASSWORD}',
  'password: $DB_PASSWORD',
  'password_file: /run/secrets/password',
  'password: /run/secrets/password',
  'token: # none yet',
  'require_token: true',
  '# password: hunter2',
  '// password=hunter2',
  'a token hunter2',
  'secretName: shop-tls',
  '{"tokens": ["a"], "password": null, "secret": 7}',
  '"hunter2"',
  'max_tokens: 5',
])('what is none, is not in it, or stands elsewhere passes: %s', (text) => {
  expect(settingsIn(text)).toEqual([]);
});

test('takes time in proportion to its length, whatever stands there', () => {
  for (const text of [
    ' '.repeat(200_000),
    'a'.repeat(200_000),
    `token${' '.repeat(200_000)}x y`,
    '['.repeat(200_000),
  ])
    expect(settingsIn(text)).toEqual([]);
}, 5_000);
