/** Unit tests stand beside their sources; the suites that need clusters are in test/e2e. @type {import('jest').Config} */
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
    ],
  },
  testEnvironment: 'node',
};

export default {
  testSequencer: '<rootDir>/test/e2e/sequencer.js',
  projects: [
    {
      displayName: 'unit',
      runner: '<rootDir>/test/runner/runner.ts',
      transform: {},
      injectGlobals: false,
      roots: [
        '<rootDir>/core',
        '<rootDir>/images',
        '<rootDir>/toolchain',
        '<rootDir>/apps',
        '<rootDir>/charts',
        '<rootDir>/infra',
        '<rootDir>/scaffold',
        '<rootDir>/lab',
        '<rootDir>/cli',
        '<rootDir>/bench',
        '<rootDir>/test/differential',
      ],
      testMatch: ['**/*.test.ts'],
    },
    { ...common, displayName: 'e2e', roots: ['<rootDir>/test/e2e'], testMatch: ['**/*.e2e.ts'] },
  ],
};
