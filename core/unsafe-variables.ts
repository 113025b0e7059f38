/** What variables of a process's environment do that nobody would review in the environment of a container. */
const unsafe: readonly (readonly [names: readonly string[], what: string])[] = [
  [
    ['LD_PRELOAD', 'LD_AUDIT', 'LD_LIBRARY_PATH', 'GCONV_PATH', 'GLIBC_TUNABLES'],
    'loads code into the program, or changes how it is loaded',
  ],
  [['NODE_OPTIONS', 'NODE_PATH', 'NODE_REPL_EXTERNAL_MODULE'], 'gives Node options or code beside its image'],
  [['NODE_TLS_REJECT_UNAUTHORIZED', 'OPENSSL_CONF', 'SSLKEYLOGFILE'], 'weakens TLS'],
];

/** Why a variable may not be set for a program; nothing for one that may. */
export function unsafeVariable(name: string): string | undefined {
  return unsafe.find(([names]) => names.includes(name))?.[1];
}

/** Whether a name with this beginning may be one that {@link unsafeVariable} refuses. */
export function mayBeUnsafe(beginning: string): boolean {
  return unsafe.some(([names]) => names.some((name) => name.startsWith(beginning)));
}
