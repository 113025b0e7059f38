import { both, envoy, gateway } from './difference.ts';
import type { Difference } from './difference.ts';

const open = 'no specification says which header fields are metadata';

/** A request that watches metadata. */
const watching =
  (pattern: RegExp): Difference['when'] =>
  ({ request }, line) =>
    request.watch !== undefined && pattern.test(line);

/** What crosses beside the messages. */
export const metadataDifferences: readonly Difference[] = [
  {
    rule: 'grpc-metadata-NAME goes in as NAME, and of other header fields those of an allow list',
    peers: envoy,
    theirs: 'passes every field on under its own name',
    right: 'either',
    by: open,
    when: watching(/=(prefixed(-twice|-binary|-unpadded)?|plain) /),
  },
  {
    rule: 'a -bin value that is no base64 is refused with 400',
    peers: envoy,
    theirs: 'passes it on, and answers the 500 that grpc-go gives',
    right: 'meshwright',
    by: 'gRPC over HTTP/2, Custom-Metadata; RFC 9110, section 15.5.1',
    when: watching(/=prefixed-no-base64 /),
  },
  {
    rule: 'metadata that is of gRPC, of HTTP, or that proxies believe is not for a client to set: 400',
    peers: both,
    theirs: 'grpc-gateway passes it on or leaves it out, Envoy passes it on with the prefix',
    right: 'either',
    by: open,
    when: watching(/=prefixed-(reserved|proxy) /),
  },
  {
    rule: 'traceparent goes in',
    peers: gateway,
    theirs: 'leaves it out unless told',
    right: 'either',
    by: open,
    when: watching(/=traceparent /),
  },
  {
    rule: 'a field sent twice goes in as one value with a comma',
    peers: gateway,
    theirs: 'passes two values on',
    right: 'either',
    by: 'RFC 9110, section 5.3, and gRPC over HTTP/2, Custom-Metadata: the two are the same',
    when: watching(/=prefixed-twice /),
  },
  {
    rule: 'metadata that nobody named stays inside',
    peers: both,
    theirs: 'passes all on',
    right: 'either',
    by: open,
    when: watching(/=out-unlisted /),
  },
  {
    rule: '-bin metadata comes out in base64',
    peers: gateway,
    theirs: 'writes the bytes, which are no field value',
    right: 'meshwright',
    by: 'RFC 9110, section 5.5',
    when: watching(/=out-binary /),
  },
  {
    rule: 'metadata comes out as grpc-metadata-NAME, and trailing metadata as trailer fields for TE: trailers',
    peers: envoy,
    theirs: 'writes it under its own name, and no trailing metadata',
    right: 'either',
    by: open,
    when: watching(/=out(-binary)? |\/v1\/fail\/5 |\/v1\/streams\/server\/2 /),
  },
  {
    rule: 'trailing metadata of an error comes out as header fields too',
    peers: gateway,
    theirs: 'writes it as trailer fields only, for TE: trailers',
    right: 'either',
    by: open,
    when: watching(/\/v1\/fail\/5 /),
  },
  {
    rule: 'trailing metadata of a stream comes out as trailer fields for TE: trailers',
    peers: gateway,
    theirs: 'leaves it out',
    right: 'either',
    by: open,
    when: watching(/\/v1\/streams\/server\/\d/),
  },
];
