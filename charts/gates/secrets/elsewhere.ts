import { isSecretName, wordsOf } from './looks.ts';

/** A variable in full, or what a shell or a library puts in its place; none with a text for when there is none, which may be the secret. */
const variable =
  /^(?:\$\(\w+\)|\$\{(?:env:)?[\w.]+(?::?-|:?\?[^}]*)?\}|\$__(?:file|env)\{[^{}]+\}|\$\{file:[^{}]+\}|\$[A-Z_][A-Z\d_]*|\$\d)+$/;
/** What a shell begins to run. */
const substituted = /^(?:\$\(|`)/;
const placeholder = /^(?:<[^<>]*>|@[\w.]+@|\*+|~)$|\{\{|%\(/;
const file =
  /^(?:@?(?:~|\.{0,2})\/[\w./-]*|file:.*|[\w./-]+\.(?:key|pem|crt|json|ya?ml|txt|jks|p12|pfx|toml|ini|conf|env))$/i;
const ofProgram = /^(?:os|process)\.env/;
/** No more than a switch, or a number of one digit. */
const none = /^(?:true|false|yes|no|on|off|none|null|\d)$/i;
/** A URL without a user, and the address of a socket. */
const address = /^(?:[a-z][a-z\d+.-]*:\/\/[^\s@]*|unix:[\w./-]+)$/i;
/** `namespace/name` of an object of Kubernetes. */
const reference = /^[a-z\d-]+\/[a-z\d.-]+$/;

/**
 * Whether a value names the place of a secret and does not hold it: a variable, a file, a template, a name in Kubernetes; or is
 * none at all.
 * @param name - what gives it: digits are a password, and of a model's token the number
 */
export function isElsewhere(name: string, value: string): boolean {
  const [, read] = /^\$\{?([a-z_]+)\}?$/.exec(value) ?? [];
  return (
    [variable, substituted, placeholder, file, ofProgram, none, address].some((known) => known.test(value)) ||
    (read !== undefined && isSecretName(read)) ||
    (/SECRET$/i.test(name) && reference.test(value)) ||
    (/(?:^|[_.-])TOKEN$/i.test(wordsOf(name)) && /^\d+$/.test(value))
  );
}
