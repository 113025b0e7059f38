import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** The rooms, from the bottom up, and which rooms each may import (docs/adr/0002). */
const mayImport = {
  core: ['core'],
  apps: ['apps', 'gen'],
  'apps/config': ['apps/config', 'core', 'gen'],
  'apps/config/image': ['apps/config', 'core', 'gen'],
  charts: ['charts', 'apps/config', 'core', 'gen'],
  infra: ['infra', 'charts', 'core'],
  scaffold: ['scaffold', 'core'],
  lab: ['lab', 'apps/config', 'core'],
  cli: ['cli', 'lab', 'infra', 'scaffold', 'charts', 'apps/config', 'core'],
  bench: ['bench', 'apps', 'charts', 'core', 'gen', 'lab', 'test'],
};

const rooms = ['core', 'apps', 'charts', 'infra', 'scaffold', 'lab', 'cli', 'gen', 'test', 'bench'];

/** Forbids relative imports that leave a room for one it may not know. */
function oneWay(room) {
  const allowed = mayImport[room];
  const depth = room.split('/').length;
  const forbidden = rooms
    .filter((other) => other !== room.split('/')[0] && !allowed.some((name) => name.split('/')[0] === other))
    .map((other) => ({
      regex: `^(\\.\\./)+${other}/`,
      message: `${room} may import ${allowed.join(', ')} only: imports point one way`,
    }));
  // A room below apps: only apps/config is for everybody, the services are not.
  if (allowed.includes('apps/config') && !allowed.includes('apps')) {
    forbidden.push({
      regex: depth === 1 ? '^(\\.\\./)+apps/(?!config/)' : `^(\\.\\./){${depth - 1}}(?!config/|\\.\\./)[a-z]`,
      message: `${room} may import apps/config only: services are deployed, not imported`,
    });
  }
  return forbidden;
}

const nodeNames = {
  patterns: [
    {
      group: ['fs', 'path', 'os', 'child_process', 'crypto', 'net', 'http', 'http2', 'url', 'util'],
      message: 'write it with the node: prefix',
    },
  ],
};

export default defineConfig(
  { ignores: ['node_modules/', 'gen/', 'dist/', '.meshwright*/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // A loop that waits or retries is written `for (;;)` or `while (true)`.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Index signatures are read by key everywhere: tsconfig's noPropertyAccessFromIndexSignature asks for brackets.
      '@typescript-eslint/dot-notation': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  ...Object.keys(mayImport).map((room) => ({
    files: [`${room}/**/*.ts`],
    ignores: room === 'apps' ? ['apps/config/**'] : [],
    rules: { 'no-restricted-imports': ['error', { patterns: [...nodeNames.patterns, ...oneWay(room)] }] },
  })),
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // A construct or a server is made for its effect on its scope.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
