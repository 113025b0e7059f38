import type { Problem } from '../../core/problem.ts';
import { envOf, podsOf } from './pods.ts';
import { suspectsIn } from './secrets/commands.ts';
import { reasonOf } from './secrets/looks.ts';
import type { Pods } from './pods.ts';
import { field, list, mapping, ofKind, text, title } from '../model/rendered.ts';
import type { RenderedMesh, RenderedObject } from '../model/rendered.ts';

/**
 * Annotation of an object: comma-separated names in its environment or data whose values look like secrets and are not.
 * It appears in the declaration and in dist/, so a reviewer sees it twice.
 */
export const notSecretAnnotation = 'meshwright/not-secret';

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
    const commands = commandPaths.flatMap((path) =>
      suspectsIn(list(container, ...path).filter((word) => typeof word === 'string')).map((suspect) => ({
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
      const { name: option = at, reason } = suspect;
      if (exceptedIn(of).includes(option)) return [];
      const named = suspect.name === undefined ? '' : `: ${option}`;
      return [
        {
          where: of.where,
          what: `${title(of.object)}: ${at} of container ${name}${named} ${reason}, in plain text`,
          fix: `${fix}; if it is not a secret, list ${option} in the annotation ${notSecretAnnotation}`,
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
  const looks = reasonOf(name, value);
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
