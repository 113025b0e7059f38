import { expect, test } from '@jest/globals';
import { traceIdsOf } from './trace-context.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

test('reads the ids of a traceparent, of later versions too', () => {
  const ids = { trace_id: trace, span_id: span };
  expect(traceIdsOf(`00-${trace}-${span}-01`)).toEqual(ids);
  expect(traceIdsOf(`00-${trace}-${span}-00`)).toEqual(ids);
  expect(traceIdsOf(`01-${trace}-${span}-01-more`)).toEqual(ids);
});

test.each([
  undefined,
  [`00-${trace}-${span}-01`],
  '',
  `00-${trace}-${span}`,
  `00-${trace}-${span}-01-more`,
  `01-${trace}-${span}-01more`,
  `ff-${trace}-${span}-01`,
  `00-${'0'.repeat(32)}-${span}-01`,
  `00-${trace}-${'0'.repeat(16)}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
])('%p has none', (value) => {
  expect(traceIdsOf(value)).toBeUndefined();
});
