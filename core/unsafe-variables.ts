/** What a variable of a process's environment does that nobody would review in the environment of a container. */
const unsafe: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:LD_(?:PRELOAD|AUDIT|LIBRARY_PATH)|GCONV_PATH|GLIBC_TUNABLES)$/,
    'loads code into the program, or changes how it is loaded',
  ],
  [/^(?:NODE_OPTIONS|NODE_PATH|NODE_REPL_EXTERNAL_MODULE)$/, 'gives Node options or code beside its image'],
  [/^(?:NODE_TLS_REJECT_UNAUTHORIZED|OPENSSL_CONF|SSLKEYLOGFILE)$/, 'weakens TLS'],
];

/** Why a variable may not be set for a program; nothing for one that may. */
export function unsafeVariable(name: string): string | undefined {
  return unsafe.find(([names]) => names.test(name))?.[1];
}
