import { both, envoy, gateway, http, json, laxer, statuses } from './difference.ts';
import type { Difference } from './difference.ts';

/** Bindings, methods and media types. */
export const httpDifferences: readonly Difference[] = [
  {
    rule: 'a binding with response_body is served',
    peers: envoy,
    theirs: 'does not start with one, unless the field is a google.api.HttpBody',
    right: 'meshwright',
    by: `${http}, HttpRule.response_body`,
    when: (_, line) => /\/v1\/(response\/(?!whole)|streams\/server \{)/.test(line),
  },
  {
    rule: 'response_body answers with the JSON of the field: 64-bit numbers as strings, [] for an empty list, "" for empty bytes, null for a message that is not there',
    peers: gateway,
    theirs:
      'writes 64-bit numbers as numbers, null for empty lists and bytes, and the default value of a message that is not there (1970-01-01T00:00:00Z of a Timestamp); fails for an unset google.protobuf.Value',
    right: 'meshwright',
    by: `${json}, representation of each type, presence, null values (null reads as unset)`,
    when: (_, line) => /\/v1\/response\/(?!whole)/.test(line),
  },
  {
    rule: 'a request to a path that is served by other methods only is answered 405, with Allow',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'meshwright',
    by: 'RFC 9110, section 15.5.6; 501 is for a method that the server knows for no resource (15.6.2)',
    when: ({ ours, theirs }) => ours.status === 405 && [404, 501].includes(theirs.status),
  },
  {
    rule: 'OPTIONS is answered 204, with Allow',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'either',
    by: 'RFC 9110, sections 9.1 and 9.3.7: OPTIONS is optional',
    when: ({ ours, theirs }, line) =>
      line.startsWith('OPTIONS ') && ours.status === 204 && theirs.status >= 400,
  },
  {
    rule: 'HEAD is answered where GET is',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'meshwright',
    by: 'RFC 9110, section 9.1: general-purpose servers must support GET and HEAD',
    when: laxer(/^HEAD \/v1\/query/),
  },
  {
    rule: 'a binding of HEAD is answered without a body',
    peers: envoy,
    theirs: 'writes the body, which the client takes for the next response',
    right: 'meshwright',
    by: 'RFC 9110, section 9.3.2',
    when: statuses(200, 0, /^HEAD \/v1\/methods\/a/),
  },
  {
    rule: 'the custom kind "*" takes every method',
    peers: gateway,
    theirs: 'takes it for the name of a method',
    right: 'meshwright',
    by: `${http}, HttpRule.custom: "*" leaves the method unspecified`,
    when: laxer(/\/v1\/any\//),
  },
  {
    rule: 'a body where the binding has none is not read',
    peers: envoy,
    theirs: 'reads it as the request message',
    right: 'meshwright',
    by: `${http}, HttpRule.body`,
    when: ({ ours }, line) =>
      ours.status === 200 && (/^(GET|DELETE) .+ \{/.test(line) || line.startsWith('POST /v1/body/none ')),
  },
  {
    rule: 'a body whose Content-Type is another than JSON, or empty, is answered 415; one without Content-Type is read as JSON',
    peers: both,
    theirs: 'reads it as JSON',
    right: 'either',
    by: 'RFC 9110, sections 8.3 and 15.5.16: a server may refuse a media type, and an empty one is none',
    when: ({ ours, theirs }) => ours.status === 415 && theirs.status === 200,
  },
];
