/**
 * Whether the suites run all their cases, as `npm run test:all` asks: CI has no time for those that take minutes and try
 * again, at more moments or with more settings, what the others try once.
 */
export const everything = process.env['MESHWRIGHT_TEST_ALL'] === '1';
