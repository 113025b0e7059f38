import { describe, expect, test } from '@jest/globals';
import { k8s } from 'cdk8s-plus-28';
import type { AppConfig } from '../../apps/config/app-config.ts';
import { synthesize } from '../synth.ts';
import { problemsWith } from '../testing/custom.ts';
import { catalogIn, objectOf, problemsOf, twoClusters } from '../testing/mesh.ts';
import { withProject } from '../testing/project.ts';

const withEnv = (env: AppConfig['env']) =>
  withProject({ catalog: { env } }, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'));
    return problemsOf(mesh);
  });
const at = (name: string) => `demo/shop/catalog: Deployment shop/catalog: env ${name} of container catalog`;
const listed = (path: string) =>
  `list ${path} in the annotation meshwright/not-secret, or of a workload in pod.notSecret with the reason`;
const fix = (name: string) =>
  'fix: take it from a Secret; if it is not a secret, write { value: TEXT, notSecret: REASON } in env, ' +
  `or ${listed(`catalog.env.${name}`)}`;
const fixEntry = (path: string) => `fix: take it from a Secret; if it is not a secret, ${listed(path)}`;

// Put together here, so that no scanner of sources takes them for real.
const jwt = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxIn0xx', 'c2lnbmF0dXJl'].join('.');

const words = ['PASSWORD', 'PASSWD', 'PASS', 'PASSPHRASE', 'TOKEN', 'SECRET', 'CREDENTIAL', 'CREDENTIALS'];
/** What a secret key is of. */
const keys = ['API', 'PRIVATE', 'SECRET', 'ACCESS', 'SIGNING', 'ENCRYPTION'];

describe('a variable in plain text', () => {
  test.each([
    ...words.flatMap((word) => [word, `DB_${word}`]),
    ...keys.flatMap((word) => [`${word}_KEY`, `STRIPE_${word}KEY`]),
    ...['APP_PWD', 'Secret'],
  ])('with the name of a secret is refused: %s', (name) => {
    expect(withEnv({ [name]: 'hunter2' })).toEqual([
      `${at(name)} has the name of a secret, in plain text; ${fix(name)}`,
    ]);
  });

  test.each([
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\nabc`],
    ['a JWT', `Bearer ${jwt}`],
    ['a cloud access key', `AKIA${'A'.repeat(16)}`],
    ['an access token', `ghp_${'a'.repeat(36)}`],
    ...['', 'EC ', 'OPENSSH ', 'ENCRYPTED '].map(
      (kind) => ['a private key', `x: -----BEGIN ${kind}PRIVATE KEY-----`] as const,
    ),
    ['a JWT', jwt.slice(0, jwt.lastIndexOf('.') + 1)],
    ['a cloud access key', `ASIA${'A0'.repeat(8)}`],
    ['a cloud access key', `AIza${'a_-B9'.repeat(7)}`],
    ['a cloud access key', `AccountName=a;AccountKey=${'aB0+/'.repeat(8)}==`],
    ...[
      ...['o', 'p', 'r', 's', 'u'].map((kind) => `gh${kind}_${'a'.repeat(30)}`),
      ...['a', 'b', 'e', 'p', 'r', 's'].map((kind) => `xox${kind}-${'1-'.repeat(5)}`),
      `github_pat_${'a'.repeat(30)}`,
      `glpat-${'a-'.repeat(10)}`,
      `npm_${'a'.repeat(36)}`,
      `sk_live_${'a'.repeat(16)}`,
    ].map((token) => ['an access token', `token ${token}`] as const),
    ['a URL with a password', 'postgres://shop:hunter2@db.example/shop'],
    ['a URL with a password', 'redis://:hunter2@cache.example'],
    ['a URL with a password', 'see HTTPS://shop:$(POD_NAME)x@db.example'],
    ['a URL with a password', 'amqp+tls-1.2://shop:hunter2@db.example'],
  ])('that looks like %s is refused, and its value is never shown', (kind, value) => {
    const found = withEnv({ SETTING: value });
    expect(found).toEqual([
      `${at('SETTING')} holds what looks like ${kind}, in plain text; ${fix('SETTING')}`,
    ]);
    expect(found.join('')).not.toContain(value);
  });

  test.each([
    ['TOKEN_TTL_SECONDS', '300'],
    ['PASSWORD_FILE', '/run/secrets/password'],
    ['MAX_TOKENS', '5'],
    ['REQUIRE_TOKEN', 'true'],
    ['DB_PASSWORD', ''],
    ['DATABASE_URL', 'postgres://shop:$(POD_NAME)@db.example/shop'],
    ['DATABASE_URL', 'postgres://db.example:5432/shop?sslmode=require'],
    ['DATABASE_URL', 'https://db.example/shop?mail=a:b@example.com'],
    ['DATABASE_URL', 'https://db.example/shop#a:b@example.com'],
    ['DATABASE_URL', 'postgres://shop@db.example/shop'],
    ['DB_PASSWORD', '$(POD_NAME)$(POD_NAMESPACE)'],
    ['USE_TOKEN', 'FALSE'],
    ['CERTIFICATE', '-----BEGIN CERTIFICATE-----'],
    ['PUBLIC', '-----BEGIN PUBLIC KEY-----'],
    ['NAME', `XAKIA${'A'.repeat(16)}`],
    ['NAME', `AKIA${'A'.repeat(17)}`],
    ['NAME', `AKIA${'A'.repeat(15)}`],
    ['NAME', `ghx_${'a'.repeat(36)}`],
    ['NAME', `ghp_${'a'.repeat(29)}`],
    ['NAME', jwt.split('.').slice(0, 2).join('.')],
    ['SORT_KEY', 'name'],
    ['BYPASS_CACHE', 'no'],
    ['PWD', '/app'],
    ['GOOGLE_APPLICATION_CREDENTIALS', '/var/run/gcp/key.json'],
    ['TLS_PRIVATE_KEY', '/keys/tls.key'],
  ])('that is harmless passes: %s=%s', (name, value) => {
    expect(withEnv({ [name]: value })).toEqual([]);
  });
});

test('what config.yml says is no secret passes, and is listed on the Deployment for reviewers; the next one is refused', () => {
  const harmless = { value: 'X-CSRF', notSecret: 'the name of a header' };
  withProject({ catalog: { env: { CSRF_TOKEN: harmless, AUTH_TOKEN: harmless } } }, (root) => {
    const mesh = twoClusters(root);
    catalogIn(mesh.namespace('shop'));
    expect(objectOf(synthesize(mesh), 'east', 'Deployment', 'catalog')).toMatchObject({
      metadata: { annotations: { 'meshwright/not-secret': 'catalog.env.AUTH_TOKEN,catalog.env.CSRF_TOKEN' } },
      spec: {
        template: {
          spec: {
            containers: expect.arrayContaining([
              expect.objectContaining({
                env: expect.arrayContaining([{ name: 'CSRF_TOKEN', value: 'X-CSRF' }]),
              }),
            ]),
          },
        },
      },
    });
  });
  expect(withEnv({ CSRF_TOKEN: harmless, API_TOKEN: 'x' })).toEqual([
    `${at('API_TOKEN')} has the name of a secret, in plain text; ${fix('API_TOKEN')}`,
  ]);
});

describe('a secret in the command of a container', () => {
  const withCommand = (container: object, annotations: Readonly<Record<string, string>> = {}) =>
    problemsWith((into) => {
      into.add(
        '50-workloads',
        k8s.KubePod,
        { name: 'x', namespace: 'shop', annotations },
        {
          spec: { containers: [{ name: 'x', image: 'x', ...container }] },
        },
      );
    }).filter((problem) => problem.includes('in plain text'));
  const shell = 'have a shell read it: sh -c \'... "$VARIABLE"\'';
  const told = (at: string, name: string, what: string, how = 'write $(VARIABLE) in its place') =>
    `demo/custom: Pod shop/x: ${at} ${what}, in plain text; fix: take it from a Secret into a variable of the ` +
    `environment, and ${how}; if it is not a secret, ${listed(name)}`;

  test.each([
    ['--password=hunter2', 'password'],
    ['--db-password hunter2', 'db-password'],
    ['-token hunter2', 'token'],
    ['--requirepass hunter2', 'requirepass'],
    ['--masterauth hunter2', 'masterauth'],
    ['--api.key="hunter2"', 'api.key'],
    ['--adminPassword=hunter2', 'adminPassword'],
    ['-Djavax.net.ssl.keyStorePassword=hunter2', 'Djavax.net.ssl.keyStorePassword'],
    ['--from-literal=password=hunter2', 'password'],
    ['exec env PGPASSWORD=hunter2 server', 'PGPASSWORD'],
    ['exec env DB_PASSWORD=hunter2; server', 'DB_PASSWORD'],
    ['curl -H "X-Api-Key: hunter2"', 'X-Api-Key'],
    [`--header ghp_${'a'.repeat(36)}`, 'header'],
  ])('by the name of an option or by its value: %s', (line, name) => {
    const what = line.includes('ghp_') ? 'holds what looks like an access token' : 'has the name of a secret';
    const expected = (at: string, how?: string) => [
      told(`${at} of container x:`, `x.${at}.${name}`, `${name} ${what}`, how),
    ];
    expect(withCommand({ args: line.split(' ') })).toEqual(expected('args'));
    expect(withCommand({ command: ['sh', '-c', `sleep 1; server ${line}`] })).toEqual(expected('command'));
    expect(withCommand({ livenessProbe: { exec: { command: ['sh', '-c', line] } } })).toEqual(
      expected('livenessProbe.exec.command', shell),
    );
    expect(withCommand({ lifecycle: { preStop: { exec: { command: line.split(' ') } } } })).toEqual(
      expected('lifecycle.preStop.exec.command', shell),
    );
    expect(withCommand({ args: line.split(' ') }, { 'meshwright/not-secret': `x.args.${name}` })).toEqual([]);
    // What is excepted is what the path says, and nothing else of its name.
    expect(
      withCommand({ args: line.split(' ') }, { 'meshwright/not-secret': `${name},x.command.${name}` }),
    ).toEqual(expected('args'));
  });

  test.each([
    [['postgres://shop:hunter2@db.example/shop'], 'a URL with a password'],
    [
      ['curl', '-H', 'Authorization: Basic c2hvcDpodW50ZXIy', 'http://db.example'],
      'a header with credentials',
    ],
    [['sh', '-c', 'echo "-----BEGIN EC PRIVATE KEY-----" > key'], 'a private key'],
  ])('by what it looks like, wherever it stands: %j', (args, kind) => {
    const what = `holds what looks like ${kind}`;
    expect(withCommand({ args })).toEqual([told('args of container x', 'x.args', what)]);
    expect(withCommand({ args }, { 'meshwright/not-secret': 'x.args' })).toEqual([]);
  });

  test('each of several, also beside one that is excepted, and one given by an option once', () => {
    const url = 'postgres://shop:hunter2@db.example/shop';
    const args = ['--token=public', url];
    const found = [
      told('args of container x:', 'x.args.token', 'token has the name of a secret'),
      told('args of container x', 'x.args', 'holds what looks like a URL with a password'),
    ];
    expect(withCommand({ args })).toEqual(found);
    expect(withCommand({ args }, { 'meshwright/not-secret': 'x.args.token' })).toEqual(found.slice(1));
    const named = [
      told('args of container x:', 'x.args.url', 'url holds what looks like a URL with a password'),
    ];
    expect(withCommand({ args: ['--url', url] })).toEqual(named);
    expect(withCommand({ args: [`--url=${url}`] })).toEqual(named);
    expect(withCommand({ args: ['sh', '-c', `URL=${url} server`] })).toEqual([
      told('args of container x:', 'x.args.URL', 'URL holds what looks like a URL with a password'),
    ]);
  });

  test.each([
    '--password=$(DB_PASSWORD)',
    '--password $DB_PASSWORD',
    '--password "${DB_PASSWORD}"',
    'TOKEN=$(cat /run/token) server',
    'TOKEN=`cat /run/token` server',
    'TOKEN=""; PASSWORD=\'\'; export TOKEN=true;',
    'curl http://elastic:${ELASTIC_PASSWORD}@localhost:9200',
    'psql postgresql://u:$PGPASSWORD@localhost/x',
    'curl -H "Authorization: Bearer ${TOKEN}"',
    '--password-file /run/password',
    '--tls-private-key /run/tls/key.pem',
    '--tls-private-key tls/key.pem',
    '--credentials gcs.json',
    '--token=~/token --secret @/run/s --token file:///run/t',
    '--wildcard-tls-secret=ingress/wildcard',
    "python -c password=os.environ['P'] token=process.env.TOKEN",
    '--secret={{.P}} --token %(ENV_P)s',
    '-pass 1 --pass-token yes --eos-token </s>',
    '--token --verbose',
    '--token',
    '--max-tokens 5',
    'token hunter2',
    '-x hunter2',
  ])('is not one that stands elsewhere: %s', (line) => {
    expect(withCommand({ args: line.split(' '), command: ['sh', '-c', line] })).toEqual([]);
  });

  test('nor is a header that the kubelet sends, unless it is one', () => {
    const get = (name: string, value: string) => ({
      livenessProbe: {
        httpGet: { path: '/', port: k8s.IntOrString.fromNumber(80), httpHeaders: [{ name, value }] },
      },
    });
    const at = 'livenessProbe.httpGet.httpHeaders of container x:';
    const end = (name: string) =>
      'in plain text; fix: send none: what the kubelet asks by HTTP has no secret; ' +
      `if it is not a secret, ${listed(`x.livenessProbe.httpGet.httpHeaders.${name}`)}`;
    expect(withCommand(get('X-Custom', 'yes'))).toEqual([]);
    expect(withCommand(get('X-Api-Key', 'hunter2'))).toEqual([
      `demo/custom: Pod shop/x: ${at} X-Api-Key has the name of a secret, ${end('X-Api-Key')}`,
    ]);
    expect(withCommand(get('Authorization', 'Basic c2hvcDpodW50ZXIy'))).toEqual([
      `demo/custom: Pod shop/x: ${at} Authorization holds what looks like a header with credentials, ${end('Authorization')}`,
    ]);
  });

  test('takes time in proportion to its length, whatever stands there', () => {
    for (const word of ['-'.repeat(60_000), 'a.'.repeat(60_000), 'a='.repeat(2_000), '"('.repeat(60_000)])
      expect(withCommand({ args: [word] })).toEqual([]);
  }, 5_000);
});

describe('bytes of a ConfigMap are plain text, too', () => {
  const withBytes = (
    values: Readonly<Record<string, string | Buffer>>,
    annotations: Readonly<Record<string, string>> = {},
  ) =>
    problemsWith((into) => {
      const metadata = { name: 'x', namespace: 'shop', annotations };
      const binaryData = Object.fromEntries(
        Object.entries(values).map(([name, value]) => [
          name,
          Buffer.from(value as string).toString('base64'),
        ]),
      );
      into.add('40-services', k8s.KubeConfigMap, metadata, { binaryData });
    });
  const told = (name: string, what: string) =>
    `demo/custom: ConfigMap shop/x: binaryData ${name} ${what}, in plain text; ${fixEntry(`binaryData.${name}`)}`;

  test('a name of a secret is refused, unless it was declared harmless', () => {
    const values = { password: 'hunter2', 'csrf-token': 'X-CSRF' };
    expect(withBytes(values, { 'meshwright/not-secret': 'binaryData.csrf-token' })).toEqual([
      told('password', 'has the name of a secret'),
    ]);
  });

  test.each([
    ['a private key', `-----BEGIN RSA PRIVATE KEY-----\nabc`],
    ['a JWT', jwt],
    ['a cloud access key', `AKIA${'A'.repeat(16)}`],
    ['an access token', `ghp_${'a'.repeat(36)}`],
    ['a URL with a password', 'postgres://shop:hunter2@db.example/shop'],
    ['a URL with a password', 'postgres://shop:pässword@db.example/shop'],
  ])('what looks like %s is refused wherever it is between other bytes, and never shown', (kind, value) => {
    const around = Buffer.from([0x00, 0xff, 0xc3, 0x0a, 0x14]);
    const found = withBytes({ set: Buffer.concat([around, Buffer.from(value), around]) });
    expect(found).toEqual([told('set', `holds what looks like ${kind}`)]);
    expect(found.join('')).not.toContain(value);
  });

  test('parts of texts that bytes stand between are not one text', () => {
    const parts = ['https://shop.example', 'name:x', 'a@b'].map((part) => Buffer.from(part));
    expect(withBytes({ set: Buffer.concat(parts.flatMap((part) => [part, Buffer.from([1])])) })).toEqual([]);
  });
});

test('a ConfigMap is plain text, too; a name that was declared harmless passes', () => {
  const withData = (annotations: Readonly<Record<string, string>>) =>
    problemsWith((into) => {
      const metadata = { name: 'x', namespace: 'shop', annotations };
      into.add('40-services', k8s.KubeConfigMap, metadata, {
        data: { 'csrf-token': 'X-CSRF', password: 'x' },
      });
    });
  expect(withData({ 'meshwright/not-secret': 'data.csrf-token' })).toEqual([
    `demo/custom: ConfigMap shop/x: data password has the name of a secret, in plain text; ${fixEntry('data.password')}`,
  ]);
});

test.each([
  ...words.flatMap((word) => [`db.${word.toLowerCase()}`, `db-${word.toLowerCase()}`]),
  ...keys.flatMap((word) => [`${word.toLowerCase()}.key`, `own-${word.toLowerCase()}-key`]),
  ...['app-pwd', 'app.pwd'],
])('a key of a ConfigMap has the name of a secret, as files are named: %s', (name) => {
  const found = problemsWith((into) => {
    const data = { passwords: 'x', 'token.txt': 'x', keys: 'x', pwd: 'x', 'my-sort-key': 'x', [name]: 'x' };
    into.add('40-services', k8s.KubeConfigMap, { name: 'x', namespace: 'shop' }, { data });
  });
  expect(found).toEqual([
    `demo/custom: ConfigMap shop/x: data ${name} has the name of a secret, in plain text; ${fixEntry(`data.${name}`)}`,
  ]);
});

test('a Secret is not for dist/ with what it holds', () => {
  const withSecret = (annotations: Readonly<Record<string, string>>) =>
    problemsWith((into) => {
      const metadata = { name: 'x', namespace: 'shop', annotations };
      const data = { 'tls.key': 'c2VjcmV0', 'ca.crt': 'cHVibGlj' };
      into.addCustom('40-services', { apiVersion: 'v1', kind: 'Secret' }, metadata, { data });
    });
  const leave =
    'fix: have its owner create the Secret in every cluster that needs it; if it is not a secret,';
  expect(withSecret({ 'meshwright/not-secret': 'data.ca.crt' })).toEqual([
    `demo/custom: Secret shop/x: its value tls.key would be written to dist/; ${leave} ${listed('data.tls.key')}`,
  ]);
  expect(withSecret({ 'meshwright/not-secret': 'data.ca.crt, data.tls.key' })).toEqual([]);
});
