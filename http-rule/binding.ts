import type { DescField } from '@bufbuild/protobuf';
import type { Pattern } from './pattern.ts';

/** Where a request's body goes. */
export type Body =
  | { readonly kind: 'none' }
  /** The body is the request message itself. */
  | { readonly kind: 'message' }
  | { readonly kind: 'field'; readonly field: DescField };

/** One way of HTTP to one gRPC method: an HttpRule with the fields that it names. */
export interface Binding extends Pattern {
  /** The field of each of the template's variables, outermost first. */
  readonly variables: readonly (readonly DescField[])[];
  readonly body: Body;
  /** The field of the answer that is the response's body; all of the answer when undefined. */
  readonly responseBody: DescField | undefined;
}
