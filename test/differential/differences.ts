import { bodyDifferences } from './differences/bodies.ts';
import { errorDifferences } from './differences/errors.ts';
import { httpDifferences } from './differences/http.ts';
import { metadataDifferences } from './differences/metadata.ts';
import { pathDifferences } from './differences/paths.ts';
import { queryDifferences } from './differences/queries.ts';
import { streamDifferences } from './differences/streams.ts';
import { valueDifferences } from './differences/values.ts';
import type { Difference } from './differences/difference.ts';

/** Every way in which the peers differ from ours that the requests of the comparison show; the first that fits counts. */
export const differences: readonly Difference[] = [
  ...httpDifferences,
  ...pathDifferences,
  ...queryDifferences,
  ...valueDifferences,
  ...bodyDifferences,
  ...errorDifferences,
  ...streamDifferences,
  ...metadataDifferences,
];
