import type { Problem } from '../../core/problem.ts';
import { envOf, podsOf } from './pods.ts';
import { runsShell, suspectsIn } from './secrets/commands.ts';
import { isFile } from './secrets/elsewhere.ts';
import { settingsIn } from './secrets/files.ts';
import { reasonOf } from './secrets/looks.ts';
import type { Pods } from './pods.ts';
import { field, list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/**
 * Annotation of an object: comma-separated paths of what looks like a secret in it and is none, as messages tell them: `cart.env.TOKEN`, `cart.args.token`,
 * `data.csrf-token`, `data.app.properties.csrf.token`. It appears in the declaration and in dist/, so a reviewer sees it twice.
 */
export const notSecretAnnotation = 'meshwright/not-secret';

/** A path in {@link notSecretAnnotation}, of which no part has what would end it. */
export function notSecretPath(...parts: readonly string[]): string {
  return parts.join('.').replaceAll(/[\s,]+/g, '_');
}

/**
 * No secret may be in plain environment values, in a command or in a ConfigMap and its files, judged by its name and its value, and no Secret with what it
 * holds among the objects: they are written to dist/. Values are never shown.
 */
export function plainSecrets({ clusters }: RenderedMesh): readonly Problem[] {
  return clusters.flatMap((cluster) => [
    ...podsOf(cluster).flatMap((pods) => [
      ...envOf(pods)
        .filter(({ value }) => !isFile(value))
        .flatMap(({ container, name, value }) =>
          check(pods.of, `env ${name} of container ${container}`, [container, 'env', name], value),
        ),
      ...commandSecrets(pods),
    ]),
    ...ofKind(cluster, 'ConfigMap').flatMap((map) => [
      ...Object.entries(mapping(map.object, 'data')).flatMap(([name, value]) =>
        entry(map, ['data', name], value, value),
      ),
      ...Object.entries(mapping(map.object, 'binaryData')).flatMap(([name, value]) => {
        const text = textIn(value);
        // Bytes between which there are texts have no lines.
        return entry(map, ['binaryData', name], text, isText(value) ? text : '');
      }),
    ]),
    ...ofKind(cluster, 'Secret').flatMap(contents),
  ]);
}

/** An entry of a ConfigMap: by its own name and looks, and by the names in the file that it is. */
function entry(
  map: RenderedObject,
  path: readonly [key: string, name: string],
  value: string,
  file: string,
): readonly Problem[] {
  const whole = check(map, path.join(' '), path, value);
  const settings = settingsIn(file, path[1])
    // What it looks like was told of the whole.
    .filter(({ reason }) => !(whole.length > 0 && reason.startsWith('holds')))
    .flatMap(({ name, reason }) => plain(map, `${path.join(' ')}: ${name}`, [...path, name], reason));
  return [...whole, ...settings];
}

/** What runs in a container beside its program, or asks it. */
const handlers = [
  ...['livenessProbe', 'readinessProbe', 'startupProbe'].map((probe) => [probe]),
  ...['postStart', 'preStop'].map((hook) => ['lifecycle', hook]),
];
const commandPaths = [['command'], ['args'], ...handlers.map((path) => [...path, 'exec', 'command'])];
const headerPaths = handlers.map((path) => [...path, 'httpGet', 'httpHeaders']);

/** What the kubelet puts a variable into: of a probe and a hook, only a shell in them does. */
const expanded =
  'take it from a Secret into a variable of the environment, and write $(VARIABLE) in its place';
const shell =
  'take it from a Secret into a variable of the environment, and have a shell read it: sh -c \'... "$VARIABLE"\'';

function commandSecrets({ of, containers }: Pods): readonly Problem[] {
  return containers.flatMap((container) => {
    const name = text(container, 'name') ?? '';
    const wordsAt = (path: readonly string[]) =>
      list(container, ...path).filter((word) => typeof word === 'string');
    const isScript = runsShell([...wordsAt(['command']), ...wordsAt(['args'])]);
    const commands = commandPaths.flatMap((path) =>
      suspectsIn(wordsAt(path), path.length === 1 ? isScript : runsShell(wordsAt(path))).map((suspect) => ({
        at: path.join('.'),
        suspect,
        fix: path.length === 1 ? expanded : shell,
      })),
    );
    const headers = headerPaths.flatMap((path) =>
      list(container, ...path).flatMap((header) => {
        const [given = '', value = ''] = [text(header, 'name'), text(header, 'value')];
        const reason = reasonOf(given, `${given}: ${value}`) ?? reasonOf(given, value);
        const fix = 'send none: what the kubelet asks by HTTP has no secret';
        return reason === undefined ? [] : [{ at: path.join('.'), suspect: { name: given, reason }, fix }];
      }),
    );
    return [...commands, ...headers].flatMap(({ at, suspect, fix }) => {
      const { reason } = suspect;
      const path = notSecretPath(name, at, ...(suspect.name === undefined ? [] : [suspect.name]));
      if (exceptedIn(of).includes(path)) return [];
      const named = suspect.name === undefined ? '' : `: ${suspect.name}`;
      return [
        {
          where: of.where,
          what: `${title(of.object)}: ${at} of container ${name}${named} ${reason}, in plain text`,
          fix: `${fix}; if it is not a secret, ${listed(path)}`,
        },
      ];
    });
  });
}

/** The text in base64 of bytes, a line for each run of it. */
function textIn(base64: string): string {
  // What no text has: control characters, and what is not UTF-8.
  return Buffer.from(base64, 'base64')
    .toString('utf8')
    .replaceAll(/[\0-\x08\x0e-\x1f\x7f\ufffd]+/g, '\n');
}

/** Whether bytes in base64 are a text as a whole. */
function isText(base64: string): boolean {
  return !/[\0-\x08\x0e-\x1f\x7f\ufffd]/.test(Buffer.from(base64, 'base64').toString('utf8'));
}

function contents({ where, object }: RenderedObject): readonly Problem[] {
  const excepted = exceptedIn({ object });
  const paths = ['data', 'stringData'].flatMap((key) =>
    Object.keys(field(object, key) ?? {}).map((name) => ({ name, path: notSecretPath(key, name) })),
  );
  return paths
    .filter(({ path }) => !excepted.includes(path))
    .map(({ name, path }) => ({
      where,
      what: `${title(object)}: its value ${name} would be written to dist/`,
      fix:
        'have its owner create the Secret in every cluster that needs it; ' +
        `if it is not a secret, ${listed(path)}`,
    }));
}

function check(of: RenderedObject, at: string, path: readonly string[], value: string): readonly Problem[] {
  const looks = reasonOf(path.at(-1) ?? '', value);
  return looks === undefined ? [] : plain(of, at, path, looks);
}

function plain(
  { where, object }: RenderedObject,
  at: string,
  parts: readonly string[],
  looks: string,
): readonly Problem[] {
  const path = notSecretPath(...parts);
  if (exceptedIn({ object }).includes(path)) return [];
  const isVariable = parts[1] === 'env';
  return [
    {
      where,
      what: `${title(object)}: ${at} ${looks}, in plain text`,
      fix:
        `take it from a Secret; if it is not a secret, ` +
        (isVariable ? 'write { value: TEXT, notSecret: REASON } in env, or ' : '') +
        listed(path),
    },
  ];
}

/** How an exception is made: in the declaration of a workload, or on an object of one's own. */
function listed(path: string): string {
  return `list ${path} in the annotation ${notSecretAnnotation}, or of a workload in pod.notSecret with the reason`;
}

function exceptedIn({ object }: Pick<RenderedObject, 'object'>): readonly string[] {
  const listedPaths = object.metadata.annotations?.[notSecretAnnotation]?.split(',') ?? [];
  return listedPaths.map((path) => path.trim());
}
