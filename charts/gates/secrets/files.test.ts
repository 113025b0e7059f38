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
  ['digits', 'requirepass 20260101\n', 'requirepass'],
  ['fewer digits', 'masterauth 1234', 'masterauth'],
  ['digits in quotes', 'password: "12345678"', 'password'],
  ['a number of JSON', '{"db":{"password":12345678}}', 'db.password'],
  ['a block of YAML', 'password: |\n  hunter2\n', 'password'],
  ['a folded one', 'db:\n  password: >-\n\n    hunter2\n', 'password'],
  ['the line below', 'password:\n  hunter2\n', 'password'],
  ['what an anchor names', 'password: &pw hunter2', 'password'],
  ['what begins as a variable', 'password=$ecr3tPassw0rd', 'password'],
  ['what stands for a variable that is missing', 'password=${DB_PASSWORD:-hunter2}', 'password'],
  ['the same in other words', 'password=${DB_PASSWORD-hunter2}', 'password'],
  ['what begins as a folder', 'password=~abc', 'password'],
  ['what begins as a comment', 'password=#abc', 'password'],
  ['what begins as a file', 'password=@bc', 'password'],
  ['what begins as a tag', 'password=<bc', 'password'],
  ['what is written as a name in Kubernetes', 'password: abc/def', 'password'],
  ['a mapping in a line', '- {name: a, password: hunter2}', 'password'],
  ['a mapping of a name', 'users: [{name: "a, b", password: \'hunter2\'}]', 'password'],
  ['XML', '<db>\n  <password>hunter2</password>\n</db>', 'password'],
  ['a tag', '<user name="a" password="hunter2"/>', 'password'],
  ['what a comment follows', 'password: hunter2 # of the shop', 'password'],
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
  'eos_token: 50256',
  'password: $(DB_PASSWORD) # of the shop',
  'password = "$DB_PASSWORD"',
  'password=${DB_PASSWORD:?is missing}',
  'password: ${env:DB_PASSWORD}',
  'password = $__file{/run/secrets/password}',
  'password = ${file:/run/secrets/password}',
  'token=$(cat /run/token)',
  'password=$password',
  'password: *pw',
  'password: {{ .Values.password }}',
  'password: <your password>',
  'password: ~',
  'password: ""  # none',
  'password: |\nuser: shop',
  'password:\n  valueFrom: x',
  'tls-secret: ingress/wildcard',
  '- {name: a, password: $DB_PASSWORD, passwordFile: x}',
  '<password>${DB_PASSWORD}</password>',
  'proxy_pass http://orders:8080;',
  'grpc_pass grpcs://orders;',
  ...['proxy', 'fastcgi', 'uwsgi', 'scgi', 'grpc', 'memcached'].map((kind) => `  ${kind}_pass $orders;`),
  'fastcgi_pass unix:/run/php.sock;',
  'auth_token: https://id.example/token',
  'passwd: files systemd',
  'next_page_token: cursor',
  'nextPageToken: cursor',
  'header-token: X-CSRF',
])('what is none, is not in it, or stands elsewhere passes: %s', (text) => {
  expect(settingsIn(text)).toEqual([]);
});

test('takes time in proportion to its length, whatever stands there', () => {
  for (const text of [
    ' '.repeat(200_000),
    'a'.repeat(200_000),
    `token${' '.repeat(200_000)}x y`,
    '['.repeat(200_000),
    '{'.repeat(200_000),
    `{${', '.repeat(100_000)}`,
    `<${'a '.repeat(100_000)}`,
    '<a>'.repeat(70_000),
    `token: ${'$X'.repeat(100_000)}`,
    'token:\n\n'.repeat(50_000),
  ])
    expect(settingsIn(text)).toEqual([]);
  const variables = `${'${X}'.repeat(50_000)}!`;
  expect(settingsIn(`token: ${variables}`)).toEqual([{ name: 'token', reason: named }]);
}, 5_000);
