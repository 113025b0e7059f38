import { both, envoy, gateway, http, laxer, other, statuses, stricter } from './difference.ts';
import type { Difference } from './difference.ts';

/** Path templates and percent-encoding. */
export const pathDifferences: readonly Difference[] = [
  {
    rule: 'a trailing slash is a segment of its own',
    peers: envoy,
    theirs: 'drops it',
    right: 'meshwright',
    by: `${http}, path template syntax; RFC 3986, section 3.3: a segment may be empty`,
    when: ({ ours, theirs }, line) =>
      theirs.status === 200 && /^GET [^?]+\/ $/.test(line) && (ours.status === 404 || ours.status === 200),
  },
  {
    rule: '* and a variable without a template match a segment that is not empty',
    peers: gateway,
    theirs: 'matches an empty one',
    right: 'either',
    by: `${http}, path template syntax: it does not say`,
    when: statuses(404, 200, /^GET [^?]+\/ $/),
  },
  {
    rule: 'a literal of a template matches however the path writes it',
    peers: both,
    theirs: 'compares the text before percent-decoding',
    right: 'meshwright',
    by: 'RFC 3986, section 6.2.2.2: %61 is a',
    when: ({ ours }, line) => ours.status === 200 && /\/%[67]/.test(line),
  },
  {
    rule: '%2F and %2f stay in a variable of several segments, whatever its template; all else is decoded',
    peers: gateway,
    theirs: 'decodes them in all but "**"',
    right: 'meshwright',
    by: `${http}, path template syntax, of "{var=foo/*}" and "{var=**}" alike: except "%2F" and "%2f"`,
    when: other(/^GET \/v1\/(shelves|two)\/.*%2F/),
  },
  {
    rule: '"**" matches no segment as nothing, without a slash',
    peers: gateway,
    theirs: 'appends a slash, and prefers a binding without a verb',
    right: 'meshwright',
    by: `${http}, path template syntax: "**" matches zero or more segments`,
    when: other(/^GET \/v1\/(below\/files|verbs\/tree:download) $/),
  },
  {
    rule: 'a colon that is no verb of the template is part of the segment',
    peers: envoy,
    theirs: 'finds nothing',
    right: 'either',
    by: `${http}, path template syntax: it does not say`,
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
    by: 'Protocol Buffers: a string is UTF-8; RFC 9110, section 15.5.1',
    when: statuses(400, 500, /%ff/),
  },
];
