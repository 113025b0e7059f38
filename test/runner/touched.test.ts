import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { importers } from './import-graph.ts';
import { touchedTests } from './touched.ts';

const root = mkdtempSync(join(tmpdir(), 'touched-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

const sources = {
  'core/a.ts': '',
  'core/a.test.ts': "import { a } from './a.ts';",
  'core/types.ts': "import type { A } from './a.ts';",
  'lab/b.ts': "export { A } from '../core/types.ts';",
  'lab/b.test.ts': "await import('./b.ts');",
  'lab/c.test.ts': "import 'node:fs';",
  'apps/gateway/d.test.ts': "import { D } from '../../gen/d/v1/d_pb.js';",
  'gen/d/v1/d_pb.js': "import { file_e } from '../../e/v1/e_pb.js';",
  'charts/docs.test.ts': '',
  'scaffold/f.test.ts': '',
};
for (const [path, text] of Object.entries(sources)) {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const files = Object.keys(sources);
const graph = importers(root, files);

test.each<[string, string[], string[]]>([
  ['nothing', [], []],
  ['a test', ['lab/c.test.ts'], ['lab/c.test.ts']],
  [
    'a source, by its importers of values, of types and at run time',
    ['core/a.ts'],
    ['core/a.test.ts', 'lab/b.test.ts', 'charts/docs.test.ts'],
  ],
  ['a source that is gone', ['lab/b.ts'], ['lab/b.test.ts']],
  ['a proto that another imports', ['proto/e/v1/e.proto'], ['apps/gateway/d.test.ts', 'scaffold/f.test.ts']],
  ['a golden file', ['lab/__golden__/x/y.yaml'], ['lab/b.test.ts', 'lab/c.test.ts']],
  ['a document', ['docs/constructs.md'], ['charts/docs.test.ts']],
  ['a setting of all', ['tsconfig.json'], files.filter((path) => path.endsWith('.test.ts'))],
])('%s', (_, changed, tests) => {
  expect(touchedTests(changed, files, graph)).toEqual(tests);
});
