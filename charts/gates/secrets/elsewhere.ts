import { isSecretName } from './looks.ts';
import { wordsOf } from './words.ts';

/** A variable in full, or what a shell or a library puts in its place; none with a text for when there is none, which may be the secret. */
const variable =
  /^(?:\$\(\w+\)|\$\{(?:env:)?[\w.]+(?::?-|:?\?[^}]*)?\}|\$__(?:file|env)\{[^{}]+\}|\$\{file:[^{}]+\}|\$[A-Z_][A-Z\d_]*|\$\d)+$/;
/** What a shell begins to run. */
const substituted = /^(?:\$\(|`)/;
const placeholder = /^(?:<[^<>]*>|@[\w.]+@|\*+|~)$|\{\{|%\(/;
const file =
  /^(?:@?(?:~|\.{0,2})\/[\w./-]*|file:.*|[\w./-]+\.(?:key|pem|crt|json|ya?ml|txt|jks|p12|pfx|toml|ini|conf|env))$/i;
const ofProgram = /^(?:os|process)\.env/;
/** No more than a switch. */
const none = /^(?:true|false|yes|no|on|off|none|null|[01])$/i;
/** How often something is gone through: `-pass 2`. */
const rounds = /^\d$/;
/** A URL without a user, and the address of a socket. */
const address = /^(?:[a-z][a-z\d+.-]*:\/\/[^\s@]*|unix:[\w./-]+)$/i;
/** `name` or `namespace/name` of an object of Kubernetes. */
const reference = /^(?:[a-z\d](?:[-a-z\d]*[a-z\d])?\/)?[a-z\d](?:[-.a-z\d]*[a-z\d])?$/;
/** By what a Secret is named that holds a certificate, or the key of a registry; a client's or an app's is a text. */
const ofReference = /(?:^|[_.:-])(?:TLS|SSL|CA|CERT(?:IFICATE)?S?|PULL)[_.:-]?SECRET$/i;
/** What a browser sends of them (https://fetch.spec.whatwg.org/#concept-request-credentials-mode). */
const mode = /^(?:include|omit|same-origin)$/;
/** A variable in small letters: of a shell any, and elsewhere one that has the name of a secret. */
const small = /^\$([a-z_]\w*)$/;

/**
 * Whether a value names the place of a secret and does not hold it: a variable, a file, a template, a name in Kubernetes; or is
 * none at all.
 * @param name - what gives it
 * @param inShell - whether a shell puts something in the place of each `$name`
 */
export function isElsewhere(name: string, value: string, inShell: boolean): boolean {
  const [, read] = small.exec(value) ?? [];
  const words = wordsOf(name);
  return (
    [variable, substituted, placeholder, ofProgram, none, address].some((known) => known.test(value)) ||
    (file.test(value) && !isRandom(value)) ||
    (read !== undefined && (inShell || isSecretName(read))) ||
    (ofReference.test(words) && reference.test(value)) ||
    (/(?:^|[_.:-])PASS$/i.test(words) && rounds.test(value)) ||
    (/CREDENTIALS$/i.test(words) && mode.test(value))
  );
}

/** Whether a text that could be a path is more likely bytes in base64, whose digits have slashes among them. */
function isRandom(value: string): boolean {
  return value.length >= 16 && [/[a-z]/, /[A-Z]/, /\d/, /^[A-Za-z\d/]+$/].every((of) => of.test(value));
}

/** A file where files of secrets are mounted, or with the ending of one, by its whole path. */
const absolute =
  /^(?:file:(?:\/\/)?)?\/(?:(?:app|config|data|etc|home|mnt|opt|run|secrets?|srv|tmp|usr|var|vault)\/[\w./-]+|[\w./-]+\.(?:key|pem|crt|json|ya?ml|txt|jks|p12|pfx|toml|ini|conf|env))$/;

/** Whether a variable of the environment names the file that has the secret: nobody puts anything else in the place of its value. */
export function isFile(value: string): boolean {
  return absolute.test(value) && !value.includes('..');
}
