import type { Comparison } from './compare.ts';

export type PeerName = 'grpc-gateway' | 'Envoy';

/** A way in which a peer answers otherwise than ours does. */
export interface Difference {
  /** What ours does, as a sentence, unique. */
  readonly rule: string;
  readonly peers: readonly PeerName[];
  /** What these peers do. */
  readonly theirs: string;
  /** Who is right. */
  readonly right: 'meshwright' | 'the peers' | 'either';
  /** By what. */
  readonly by: string;
  /** Whether it is this difference. @param line `METHOD TARGET BODY` */
  readonly when: (comparison: Comparison, line: string) => boolean;
}

const [gateway, envoy] = [['grpc-gateway'], ['Envoy']] as const;
const both = ['grpc-gateway', 'Envoy'] as const;

const json = 'ProtoJSON Format';
const rule = 'google/api/http.proto';

/** Ours refuses what the peer takes. */
const stricter =
  (pattern: RegExp) =>
  ({ ours, theirs }: Comparison, line: string) =>
    ours.status === 400 && theirs.status < 400 && pattern.test(line);
/** The peer refuses, or fails at, what ours takes. */
const laxer =
  (pattern: RegExp) =>
  ({ ours, theirs }: Comparison, line: string) =>
    ours.status === 200 && theirs.status >= 400 && pattern.test(line);
/** Both take it, and it becomes something else. */
const other =
  (pattern: RegExp) =>
  ({ ours, theirs }: Comparison, line: string) =>
    ours.status === 200 && theirs.status === 200 && pattern.test(line);
/** Statuses as given. */
const statuses =
  (mine: number, its: number, pattern = /^/) =>
  ({ ours, theirs }: Comparison, line: string) =>
    ours.status === mine && theirs.status === its && pattern.test(line);

/** Every way in which the peers differ from ours that the requests of the comparison show. */
export const differences: readonly Difference[] = [
  {
    rule: 'a binding with response_body is served',
    peers: envoy,
    theirs: 'does not start with one, unless the field is a google.api.HttpBody',
    right: 'meshwright',
    by: `${rule}, HttpRule.response_body`,
    when: (_, line) => /\/v1\/response\/(?!whole)/.test(line),
  },
  {
    rule: 'response_body answers with the JSON of the field: 64-bit numbers as strings, [] for an empty list, "" for empty bytes, null for a message that is not there',
    peers: gateway,
    theirs:
      'writes 64-bit numbers as numbers, null for empty lists and bytes, and an empty message for one that is not there; fails for an unset google.protobuf.Value',
    right: 'meshwright',
    by: `${json}, representation of each type`,
    when: (_, line) => /\/v1\/response\/(?!whole)/.test(line),
  },
  {
    rule: 'a request to a path that is served by other methods only is answered 405, with Allow',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'meshwright',
    by: 'RFC 9110, section 15.5.6',
    when: ({ ours, theirs }) => ours.status === 405 && [404, 501].includes(theirs.status),
  },
  {
    rule: 'OPTIONS is answered 204, with Allow',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'meshwright',
    by: 'RFC 9110, section 9.3.7',
    when: ({ ours, theirs }, line) =>
      line.startsWith('OPTIONS ') && ours.status === 204 && theirs.status >= 400,
  },
  {
    rule: 'HEAD is answered where GET is',
    peers: both,
    theirs: 'grpc-gateway answers 501, Envoy 404',
    right: 'meshwright',
    by: 'RFC 9110, section 9.3.2',
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
    by: `${rule}, CustomHttpPattern and HttpRule.custom`,
    when: laxer(/\/v1\/any\//),
  },
  {
    rule: 'a body where the binding has none is not read',
    peers: envoy,
    theirs: 'reads it as the request message',
    right: 'meshwright',
    by: `${rule}, HttpRule.body`,
    when: ({ ours }, line) =>
      ours.status === 200 && (/^(GET|DELETE) .+ \{/.test(line) || line.startsWith('POST /v1/body/none ')),
  },
  {
    rule: 'a body of another media type than JSON, or of an empty one, is answered 415',
    peers: both,
    theirs: 'reads it as JSON',
    right: 'either',
    by: 'RFC 9110, section 15.5.16',
    when: ({ ours, theirs }) => ours.status === 415 && theirs.status === 200,
  },
  {
    rule: 'a trailing slash is a segment of its own',
    peers: envoy,
    theirs: 'drops it',
    right: 'meshwright',
    by: `${rule}, path template syntax`,
    when: ({ ours, theirs }, line) =>
      theirs.status === 200 && /^GET [^?]+\/ $/.test(line) && (ours.status === 404 || ours.status === 200),
  },
  {
    rule: '* and a variable without a template match a segment that is not empty',
    peers: gateway,
    theirs: 'matches an empty one',
    right: 'either',
    by: `${rule}, path template syntax: it does not say`,
    when: statuses(404, 200, /^GET [^?]+\/ $/),
  },
  {
    rule: 'a literal of a template matches however the path writes it',
    peers: both,
    theirs: 'compares the text before percent-decoding',
    right: 'meshwright',
    by: 'RFC 3986, section 6.2.2.2',
    when: ({ ours }, line) => ours.status === 200 && /\/%[67]/.test(line),
  },
  {
    rule: '%2F stays in a variable of several segments, whatever its template',
    peers: gateway,
    theirs: 'decodes it in all but "**"',
    right: 'meshwright',
    by: `${rule}, path template syntax: "except %2F"`,
    when: other(/^GET \/v1\/(shelves|two)\/.*%2F/),
  },
  {
    rule: '"**" matches no segment as nothing, without a slash',
    peers: gateway,
    theirs: 'appends a slash, and prefers a binding without a verb',
    right: 'meshwright',
    by: `${rule}, path template syntax`,
    when: other(/^GET \/v1\/(below\/files|verbs\/tree:download) $/),
  },
  {
    rule: 'a colon that is no verb of the template is part of the segment',
    peers: envoy,
    theirs: 'finds nothing',
    right: 'either',
    by: `${rule}, path template syntax: it does not say`,
    when: laxer(/^GET \/v1\/(verbs|precedence)\/\w+:\w+ $/),
  },
  {
    rule: 'malformed percent-encoding is refused',
    peers: envoy,
    theirs: 'takes it as it stands',
    right: 'meshwright',
    by: 'RFC 3986, section 2.1',
    when: stricter(/%(zz)? $/),
  },
  {
    rule: 'percent-encoded text that is no UTF-8 is refused with 400',
    peers: both,
    theirs: 'sends it on and answers 500',
    right: 'meshwright',
    by: 'Protocol Buffers: a string is UTF-8',
    when: statuses(400, 500, /%ff/),
  },
  {
    rule: 'a query parameter for a field that the path or the body binds is refused',
    peers: both,
    theirs: 'grpc-gateway ignores it, Envoy lets the query win',
    right: 'meshwright',
    by: `${rule}, HttpRule, rules for mapping: 2 and 3`,
    when: stricter(
      /^(GET \/v1\/path\/(string\/a|nested\/a\/b)\?(string_value|stringValue|nested\.name)=|POST \/v1\/body\/(all|message\/a)\?)/,
    ),
  },
  {
    rule: 'an unknown query parameter is refused',
    peers: gateway,
    theirs: 'ignores it',
    right: 'either',
    by: `${rule}, HttpRule leaves it open`,
    when: stricter(/^GET \/v1\/query\?(unknown|\.nested|nested\.(\.name|unknown)?)=/),
  },
  {
    rule: 'a query parameter without a name is refused',
    peers: both,
    theirs: 'ignores it',
    right: 'either',
    by: `${rule}, HttpRule leaves it open`,
    when: stricter(/^GET \/v1\/query\?=a/),
  },
  {
    rule: 'a singular field given twice in a query is refused',
    peers: envoy,
    theirs: 'takes the last one',
    right: 'meshwright',
    by: `${rule}, HttpRule: only a repeated field may be given more than once`,
    when: stricter(/string_value=a&string_value=b/),
  },
  {
    rule: 'a query cannot reach into a repeated message',
    peers: envoy,
    theirs: 'makes an element of it',
    right: 'meshwright',
    by: `${rule}, HttpRule: query parameters`,
    when: stricter(/\?repeated_nested\.name=/),
  },
  {
    rule: 'a query cannot hold a map, Empty, Struct or Value',
    peers: both,
    theirs:
      'grpc-gateway reads map[key]=value and JSON texts, Envoy a Value as a string and a member of a Struct',
    right: 'either',
    by: `${rule}, HttpRule: query parameters are primitives or repeated primitives`,
    when: stricter(/\?(string_keys\[|int64_map\[|empty=|struct|value=)/),
  },
  {
    rule: 'a semicolon is part of a query value',
    peers: gateway,
    theirs: 'refuses it',
    right: 'meshwright',
    by: 'URL Standard, application/x-www-form-urlencoded parsing',
    when: laxer(/string_value=a;b/),
  },
  {
    rule: 'a whole number may be written with a fraction of zero or an exponent, also in a path, a query or a string',
    peers: both,
    theirs: 'takes digits only there',
    right: 'either',
    by: `${json}, int32, int64: with an exponent too`,
    when: laxer(/(int32_value=1(\.0|e3)|numbers\/1\.0\/|"1e3"|"7\.0"|Keys":\{"1\.0")/),
  },
  {
    rule: 'a number with a leading zero or plus sign is refused',
    peers: both,
    theirs: 'takes it',
    right: 'either',
    by: 'RFC 8259, section 6',
    when: stricter(/(int32_value=(010|%2B1)|"int32Value":"01")/),
  },
  {
    rule: 'a hexadecimal number is refused',
    peers: envoy,
    theirs: 'takes it',
    right: 'meshwright',
    by: 'RFC 8259, section 6',
    when: stricter(/double_value=0x/),
  },
  {
    rule: 'a boolean in a path or a query is true or false',
    peers: both,
    theirs: 'takes 1, t and TRUE too; Envoy also yes',
    right: 'either',
    by: `${json}, bool: true, false`,
    when: stricter(/(bool_(value|wrapper)=(1|t|TRUE|yes)|others\/(1|True)\/)/),
  },
  {
    rule: 'an enum value may be any number of 32 bits',
    peers: both,
    theirs: 'takes the declared ones only in a path or a query',
    right: 'meshwright',
    by: `${json}, enum: open enums keep unknown numbers`,
    when: laxer(/(kind=99|others\/true\/99)/),
  },
  {
    rule: 'base64 has no spaces',
    peers: envoy,
    theirs: 'skips them',
    right: 'meshwright',
    by: 'RFC 4648, section 3.3',
    when: stricter(/(bytes_value=\+|"aGVs bG8=")/),
  },
  {
    rule: 'a field mask in a query has names in lowerCamelCase',
    peers: both,
    theirs: 'takes snake_case',
    right: 'meshwright',
    by: `${json}, FieldMask`,
    when: stricter(/field_mask=foo_bar/),
  },
  {
    rule: 'a field mask in a query is read as its JSON form',
    peers: gateway,
    theirs: 'keeps the names as they are, and fails to write them',
    right: 'meshwright',
    by: `${json}, FieldMask`,
    when: laxer(/field_mask=fooBar/),
  },
  {
    rule: 'a duration is seconds with an "s"',
    peers: gateway,
    theirs: 'takes the format of Go, such as 1m and .5s',
    right: 'meshwright',
    by: `${json}, Duration`,
    when: stricter(/(duration=1m|"\.5s")/),
  },
  {
    rule: 'a duration has no plus sign and no point without digits',
    peers: both,
    theirs: 'takes them',
    right: 'meshwright',
    by: `${json}, Duration`,
    when: stricter(/"duration":"(1\.|\+1)s"/),
  },
  {
    rule: 'text after the JSON value of a body is refused, and so is an empty body for "*"',
    peers: gateway,
    theirs: 'ignores it',
    right: 'meshwright',
    by: 'RFC 8259, section 2',
    when: stricter(/^POST \/v1\/body\/all (\{"int32Value":1\}x| )?$/),
  },
  {
    rule: 'a body is JSON as RFC 8259 has it',
    peers: envoy,
    theirs: 'takes trailing commas, names without or with single quotes, and control characters in strings',
    right: 'meshwright',
    by: 'RFC 8259',
    when: stricter(/(1,\}|\{int32Value|\{'int32Value|"\n")/),
  },
  {
    rule: 'a field given twice in a body is refused',
    peers: envoy,
    theirs: 'takes the last one',
    right: 'meshwright',
    by: 'RFC 8259, section 4: names should be unique',
    when: stricter(/("int32Value"|"int32_value"):7,"int32Value":8/),
  },
  {
    rule: 'an unknown field of a body is refused',
    peers: envoy,
    theirs: 'ignores it',
    right: 'meshwright',
    by: `${json}, unknown fields: rejected by default`,
    when: stricter(/("unknown"|"toString"|"capitalName"|"empty":\{"a")/),
  },
  {
    rule: 'a value has to be of its JSON type',
    peers: envoy,
    theirs:
      'takes "true" for true, "2" for an enum value, a scalar for a list of it, lists in lists, "1" for a key of bool, and messages for Timestamp, FieldMask, ListValue and wrappers',
    right: 'meshwright',
    by: `${json}, representation of each type`,
    when: stricter(
      /("true"|"kind":"2"|"repeatedInt32":(1|\[\[)|"boolKeys":\{"1"|"timestamp":\{|"fieldMask":\{|"listValue":\{|Wrapper":\{|repeated-string\/a "x")/,
    ),
  },
  {
    rule: 'null is no element of a list or a map',
    peers: envoy,
    theirs: 'skips it, or takes the default value',
    right: 'meshwright',
    by: `${json}, null in repeated fields and maps`,
    when: stricter(/(\[1,null\]|\[null\]|"a":null)/),
  },
  {
    rule: 'a timestamp has no leap second',
    peers: envoy,
    theirs: 'takes second 60',
    right: 'either',
    by: 'google/protobuf/timestamp.proto: leap seconds are smeared',
    when: stricter(/:60Z/),
  },
  {
    rule: 'a field mask in a body has names in lowerCamelCase, none empty',
    peers: envoy,
    theirs: 'takes snake_case, and skips empty names',
    right: 'meshwright',
    by: `${json}, FieldMask`,
    when: stricter(/"fieldMask":"/),
  },
  {
    rule: 'a float is written in the fewest digits that are it again',
    peers: envoy,
    theirs: 'writes 9 digits',
    right: 'either',
    by: `${json}, float, double`,
    when: other(/3\.4028235e38/),
  },
  {
    rule: 'a google.protobuf.Value may be nested 60 deep',
    peers: envoy,
    theirs: 'fails at the answer with 502',
    right: 'either',
    by: 'Protocol Buffers leaves the limit to the implementation',
    when: statuses(200, 502),
  },
  {
    rule: 'the path wins over the body',
    peers: envoy,
    theirs: 'lets the body win',
    right: 'meshwright',
    by: `${rule}, HttpRule, rules for mapping: 1, fields in the path come from there`,
    when: other(/^(POST \/v1\/body\/all\/a\/b|PATCH \/v1\/body\/inside\/a) /),
  },
  {
    rule: 'an empty body leaves the field of a body unset',
    peers: both,
    theirs: 'sets an empty message',
    right: 'either',
    by: `${rule}, HttpRule.body leaves it open`,
    when: other(/^POST \/v1\/body\/message\/a $/),
  },
  {
    rule: 'null as the body of a field leaves it unset',
    peers: gateway,
    theirs: 'refuses it',
    right: 'meshwright',
    by: `${json}, null is an accepted value for all field types`,
    when: laxer(/ null$/),
  },
  {
    rule: 'a field that is the body takes its JSON: 64-bit numbers as strings, names of enum values, base64 of either alphabet',
    peers: gateway,
    theirs: 'takes what encoding/json of Go takes',
    right: 'meshwright',
    by: `${json}, representation of each type`,
    when: laxer(/^PUT \/v1\/body\/(int64|bytes|kind)\//),
  },
  {
    rule: 'a number may be the body of a field',
    peers: envoy,
    theirs: 'answers 200 without calling',
    right: 'meshwright',
    by: `${rule}, HttpRule.body`,
    when: other(/^PUT \/v1\/body\/(int64|kind)\/a \d+$/),
  },
  {
    rule: 'a status that may come from the transport keeps its code, not its message: it may name addresses inside; a code that is not defined is UNKNOWN',
    peers: both,
    theirs: 'passes message and code on',
    right: 'either',
    by: 'gRPC status codes: codes that are not defined are UNKNOWN',
    when: (_, line) => /\/v1\/fail\/(1|2|4|13|14|17) /.test(line),
  },
  {
    rule: 'details of an error may be of any google.rpc type',
    peers: envoy,
    theirs: 'knows the types of its descriptors only',
    right: 'meshwright',
    by: 'AIP-193',
    when: ({ ours, theirs }, line) =>
      line.includes('google.rpc.') && theirs.text.startsWith('details[0]') && ours.json !== undefined,
  },
  {
    rule: 'details of an error are written without fields of their default value',
    peers: gateway,
    theirs: 'writes them as in messages',
    right: 'either',
    by: `${json}, field presence and default values`,
    when: ({ ours, theirs }, line) => line.includes('google.rpc.') && ours.status === theirs.status,
  },
];
