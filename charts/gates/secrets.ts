import type { Problem } from '../../core/problem.ts';
import { envOf, podsOf } from './pods.ts';
import type { Pods } from './pods.ts';
import { field, list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/**
 * Annotation of an object: comma-separated names in its environment or data whose values look like secrets and are not.
 * It appears in the declaration and in dist/, so a reviewer sees it twice.
 */
export const notSecretAnnotation = 'meshwright/not-secret';

/** A name whose last word suggests a secret. */
const secretName =
  /(?:[_.-]PWD|(?:^|[_.-])(?:PASSWORD|PASSWD|(?:REQUIRE)?PASS|PASSPHRASE|TOKEN|SECRET|CREDENTIALS?|(?:API|PRIVATE|SECRET|ACCESS|SIGNING|ENCRYPTION)[_.-]?KEY))$/i;

/** What kinds of secrets look like. */
const secretValues: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a JWT', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/],
  ['a cloud access key', /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}|\bAccountKey=[A-Za-z0-9+/=]{40,}/],
  [
    'an access token',
    /\b(?:gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|npm_\w{36}|sk_live_\w{16,})/,
  ],
  ['a URL with a password', /\b[a-z][a-z\d+.-]*:\/\/[^\s/?#:@]*:(?!\$\(\w+\)@)[^\s/?#@]+@/i],
];

/**
 * No secret may be in plain environment values, in a command or in a ConfigMap, judged by its name and its value, and no Secret with what it
 * holds among the objects: they are written to dist/. Values are never shown.
 */
export function plainSecrets({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [
    ...podsOf(cluster).flatMap((pods) => [
      ...envOf(pods).flatMap(({ container, name, value }) =>
        check(pods.of, `env ${name} of container ${container}`, name, value),
      ),
      ...commandSecrets(pods),
    ]),
    ...ofKind(cluster, 'ConfigMap').flatMap((map) => [
      ...Object.entries(mapping(map.object, 'data')).flatMap(([name, value]) =>
        check(map, `data ${name}`, name, value),
      ),
      ...Object.entries(mapping(map.object, 'binaryData')).flatMap(([name, value]) =>
        check(map, `binaryData ${name}`, name, textIn(value)),
      ),
    ]),
    ...ofKind(cluster, 'Secret').flatMap(contents),
  ]);
}

/** Where a container has a command, by path. */
const commandPaths = [
  ['command'],
  ['args'],
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe, 'exec', 'command']),
  ...['postStart', 'preStop'].map((hook) => ['lifecycle', hook, 'exec', 'command']),
];

function commandSecrets({ of, containers }: Pods): readonly Problem[] {
  return containers.flatMap((container) =>
    commandPaths.flatMap((path) => {
      const line = list(container, ...path).filter((word) => typeof word === 'string');
      const at = `${path.join('.')} of container ${text(container, 'name') ?? ''}`;
      const [whole, named] = [line.join(' '), optionsIn(line)];
      const looks = named.flatMap(({ name, value }) => {
        const found = reason(name, value);
        return found === undefined ? [] : [{ name, what: `${at}: ${name} ${found}` }];
      });
      const kind = looks.length > 0 ? undefined : kindOf(whole);
      const all =
        kind === undefined ? looks : [{ name: path.join('.'), what: `${at} holds what looks like ${kind}` }];
      return all
        .filter(({ name }) => !exceptedIn(of).includes(name))
        .map(({ name, what }) => ({
          where: of.where,
          what: `${title(of.object)}: ${what}, in plain text`,
          fix:
            'take it from a Secret into a variable of the environment, and write $(VARIABLE) in its place; ' +
            `if it is not a secret, list ${name} in the annotation ${notSecretAnnotation}`,
        }));
    }),
  );
}

/** What the words of a command, or of a shell's script in it, give a name: `--token=x`, `--token x`, `TOKEN=x`. */
function optionsIn(line: readonly string[]): readonly { readonly name: string; readonly value: string }[] {
  const words = line.flatMap((word) => word.split(/\s+/)).map((word) => word.replaceAll(/^["']|["']$/g, ''));
  return words.flatMap((word, index) => {
    const [, dashes = '', name = '', value] = /^(-*)([\w.-]+)(?:=(.*))?$/s.exec(word) ?? [];
    const next = words[index + 1] ?? '';
    const given = value ?? (dashes !== '' && !next.startsWith('-') ? next : '');
    const plain = given.replaceAll(/^["']|["']$/g, '');
    // A variable of the shell, and the path of a file that holds it.
    return name === '' || /^(?:\$|\.{0,2}\/)/.test(plain) ? [] : [{ name, value: plain }];
  });
}

/** The text in base64 of bytes, a line for each run of it. */
function textIn(base64: string): string {
  // What no text has: control characters, and what is not UTF-8.
  return Buffer.from(base64, 'base64')
    .toString('utf8')
    .replaceAll(/[\0-\x08\x0e-\x1f\x7f\ufffd]+/g, '\n');
}

function contents({ where, object }: RenderedObject): readonly Problem[] {
  const excepted = exceptedIn({ object });
  const names = ['data', 'stringData'].flatMap((key) => Object.keys(field(object, key) ?? {}));
  return names
    .filter((name) => !excepted.includes(name))
    .map((name) => ({
      where,
      what: `${title(object)}: its value ${name} would be written to dist/`,
      fix:
        'have its owner create the Secret in every cluster that needs it; ' +
        `if it is not a secret, list ${name} in the annotation ${notSecretAnnotation}`,
    }));
}

function check(
  { where, object }: RenderedObject,
  at: string,
  name: string,
  value: string,
): readonly Problem[] {
  const looks = reason(name, value);
  if (looks === undefined || exceptedIn({ object }).includes(name)) return [];
  return [
    {
      where,
      what: `${title(object)}: ${at} ${looks}, in plain text`,
      fix:
        `take it from a Secret; if it is not a secret, write { value: TEXT, notSecret: REASON } in env, ` +
        `or list ${name} in the annotation ${notSecretAnnotation}`,
    },
  ];
}

function exceptedIn({ object }: Pick<RenderedObject, 'object'>): readonly string[] {
  return object.metadata.annotations?.[notSecretAnnotation]?.split(',') ?? [];
}

function kindOf(value: string): string | undefined {
  return secretValues.find(([, looks]) => looks.test(value))?.[0];
}

function reason(name: string, value: string): string | undefined {
  const kind = kindOf(value);
  if (kind !== undefined) return `holds what looks like ${kind}`;
  // Empty, a boolean, or made of other variables only: nothing to hide.
  const harmless = /^(?:true|false|(?:\$\(\w+\))*)$/i.test(value);
  return secretName.test(name) && !harmless ? 'has the name of a secret' : undefined;
}
