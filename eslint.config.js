import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { oneWay } from './scripts/rooms.js';

const nodeNames = {
  paths: ['fs', 'path', 'os', 'child_process', 'crypto', 'net', 'http', 'http2', 'url', 'util'].map(
    (name) => ({
      name,
      message: 'write it with the node: prefix',
    }),
  ),
};

export default defineConfig(
  { ignores: ['node_modules/', 'gen/', 'dist/', '.packages/', '.meshwright*/', 'coverage/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
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
  // A reader finds a file's subject by its name, and the whole of it on a few screens.
  { files: ['**/*.{ts,js,cjs}'], rules: { 'max-lines': ['error', 350] } },
  {
    files: ['**/*.ts'],
    plugins: { rooms: { rules: { 'one-way': oneWay } } },
    rules: { 'rooms/one-way': 'error', 'no-restricted-imports': ['error', nodeNames] },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      // A construct or a server is made for its effect on its scope.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);
