import { expect, test } from '@jest/globals';
import { settingsIn } from './files.ts';

const named = 'has the name of a secret';
const plain = (text: string) => settingsIn(text, 'app.conf');

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
  ['a name with a number', 'password2: hunter2', 'password2'],
  ['one word', 'authtoken: hunter2', 'authtoken'],
  ['capitals of an abbreviation', '{"JWTSecret":"hunter2"}', 'JWTSecret'],
  ['a prefix of XML', '<db:token>hunter2</db:token>', 'db:token'],
  ['a number of one digit', '{"secret":7}', 'secret'],
  ['digits that are no model’s', 'api_token: 20260101', 'api_token'],
  ['a client’s secret with a slash', 'client-secret: abc/def', 'client-secret'],
  ['base64 that begins as a path', 'client_secret: /9j4AAQSkZJRgABAQE', 'client_secret'],
  ['a word that may be a label', 'password: Password', 'password'],
  ['a sentence about something else', 'passphrase: Correct horse battery staple', 'passphrase'],
  ['a sentence in small letters', 'passphrase: my secret horse', 'passphrase'],
  ['XML', '<db>\n  <password>hunter2</password>\n</db>', 'password'],
  ['a tag', '<user name="a" password="hunter2"/>', 'password'],
  ['what a comment follows', 'password: hunter2 # of the shop', 'password'],
])('a secret in %s is found by its name', (_, text, name) => {
  expect(plain(text)).toEqual([{ name, reason: named }]);
});

test('by its looks as well, and each name once', () => {
  const url = 'postgres://shop:hunter2@db.example/shop';
  expect(plain(`url: ${url}\ntoken=a1b2c3d\ntoken=d4e5f6a`)).toEqual([
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
  '{"tokens": ["a"], "password": null, "secret": 0}',
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
  'pullSecret: registry-key',
  'ca_secret: bank-ca',
  'password: "Forgot your password?"',
  'token: Token:',
  'labels.password=Passwort',
  '{"errors": {"password": "zu kurz"}}',
  'low-pass: 440',
  'by_pass: cache',
  'credentials: same-origin',
  'secretary: smith',
  'tokenizer: bpe',
  'compass: north',
  'stop-token: </s>',
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
  expect(plain(text)).toEqual([]);
});

test('what people read is no secret, by the name of its file', () => {
  const texts = 'login.password=Passwort\nreset.password=Passwort vergessen?\ntoken=令牌\n';
  for (const file of [
    'messages_de.properties',
    'de.json',
    'pt-BR.yaml',
    'app.translations.yaml',
    'i18n.conf',
  ])
    expect(settingsIn(texts, file)).toEqual([]);
  expect(settingsIn(texts, 'app.properties').map(({ name }) => name)).toEqual([
    'login.password',
    'reset.password',
    'token',
  ]);
  // What nobody reads is one there, too.
  for (const value of ['hunter2', 'xYzAbcQrs', 'ghp_' + 'a'.repeat(36)])
    expect(settingsIn(`password=${value}`, 'messages.properties')).toHaveLength(1);
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
    expect(plain(text)).toEqual([]);
  const variables = `${'${X}'.repeat(50_000)}!`;
  expect(plain(`token: ${variables}`)).toEqual([{ name: 'token', reason: named }]);
}, 5_000);
