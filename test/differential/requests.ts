import { bodies } from './requests/bodies.ts';
import { metadata } from './requests/metadata.ts';
import { methods } from './requests/methods.ts';
import { others } from './requests/others.ts';
import { parts } from './requests/parts.ts';
import { paths } from './requests/paths.ts';
import { queries } from './requests/queries.ts';
import { streams } from './requests/streams.ts';
import type { TestRequest } from './requests/request.ts';

/** Requests chosen by hand: each rule of google/api/http.proto and of the JSON mapping, and what goes against it. */
export const handPicked: readonly TestRequest[] = [
  ...queries,
  ...paths,
  ...methods,
  ...bodies,
  ...parts,
  ...others,
  ...streams,
  ...metadata,
];
