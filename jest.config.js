/** Unit tests stand beside their sources; the suites that need clusters are in test/e2e. @type {import('jest').Config} */
export default {
  testSequencer: '<rootDir>/test/e2e/sequencer.js',
  // Each holds what the tests load, up to 0.9 GB.
  maxWorkers: 2,
  projects: [
    {
      displayName: 'unit',
      // Node runs the files as they stand, in processes that they share (docs/adr/0029).
      runner: '<rootDir>/test/runner/runner.ts',
      transform: {},
      injectGlobals: false,
      roots: [
        '<rootDir>/core',
        '<rootDir>/http-rule',
        '<rootDir>/images',
        '<rootDir>/toolchain',
        '<rootDir>/apps',
        '<rootDir>/charts',
        '<rootDir>/infra',
        '<rootDir>/scaffold',
        '<rootDir>/lab',
        '<rootDir>/cli',
        '<rootDir>/bench',
        '<rootDir>/packaging',
        // The sample's tests go with it.
        '<rootDir>/test',
      ],
      testMatch: ['**/*.test.ts'],
    },
    {
      displayName: 'e2e',
      roots: ['<rootDir>/test/e2e'],
      testMatch: ['**/*.e2e.ts'],
      extensionsToTreatAsEsm: ['.ts'],
      transform: {
        '^.+\\.ts$': [
          '@swc/jest',
          { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
        ],
      },
      testEnvironment: 'node',
    },
  ],
};
