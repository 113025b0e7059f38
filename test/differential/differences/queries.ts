import { both, envoy, gateway, http, laxer, stricter } from './difference.ts';
import type { Difference } from './difference.ts';

const bound =
  /^(GET \/v1\/path\/(string\/a|nested\/a\/b)\?(string_value|stringValue|nested\.name)=|POST \/v1\/body\/(all|message\/a)\?)/;

/** Which parameters a query may have. */
export const queryDifferences: readonly Difference[] = [
  {
    rule: 'a query parameter for a field that the path or the body binds is refused',
    peers: gateway,
    theirs: 'ignores it',
    right: 'either',
    by: `${http}, rules for HTTP mapping: such a field is no parameter; it does not say what to do with one`,
    when: stricter(bound),
  },
  {
    rule: 'a query parameter does not win over the path or the body',
    peers: envoy,
    theirs: 'lets it win',
    right: 'meshwright',
    by: `${http}, rules for HTTP mapping, 1 and 2`,
    when: stricter(bound),
  },
  {
    rule: 'an unknown query parameter is refused',
    peers: gateway,
    theirs: 'ignores it',
    right: 'either',
    by: `${http} does not say`,
    when: stricter(/^GET \/v1\/(query|streams\/server\/2)\?(unknown|\.nested|nested\.(\.name|unknown)?)=/),
  },
  {
    rule: 'a query parameter without a name is refused',
    peers: both,
    theirs: 'ignores it',
    right: 'either',
    by: `${http} does not say`,
    when: stricter(/^GET \/v1\/query\?=a/),
  },
  {
    rule: 'a singular field given twice in a query is refused',
    peers: envoy,
    theirs: 'takes the last one',
    right: 'either',
    by: `${http} lets a repeated field be given more than once, and does not say of others`,
    when: stricter(/string_value=a&string_value=b/),
  },
  {
    rule: 'a query cannot reach into a repeated message',
    peers: envoy,
    theirs: 'makes an element of it',
    right: 'meshwright',
    by: `${http}, special notes: repeated message fields must not be mapped to query parameters`,
    when: stricter(/\?repeated_nested\.name=/),
  },
  {
    rule: 'a query cannot hold a map, Empty, Struct or Value',
    peers: both,
    theirs:
      'grpc-gateway reads map[key]=value and JSON texts, Envoy a Value as a string and a member of a Struct',
    right: 'either',
    by: `${http}: parameters are of a primitive type, a repeated one, or the fields of a message`,
    when: stricter(/\?(string_keys\[|int64_map\[|empty=|struct|value=)/),
  },
  {
    rule: 'a semicolon is part of a query value',
    peers: gateway,
    theirs: 'refuses it',
    right: 'meshwright',
    by: 'RFC 3986, section 3.4; URL Standard, application/x-www-form-urlencoded parsing',
    when: laxer(/string_value=a;b/),
  },
];
