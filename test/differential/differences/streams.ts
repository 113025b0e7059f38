import { both, envoy, gateway, http, statuses } from './difference.ts';
import type { Difference } from './difference.ts';

/** Calls of many messages. How these are written into one body no specification says; messages are compared. */
export const streamDifferences: readonly Difference[] = [
  {
    rule: 'the messages of a call are lines of a body (NDJSON)',
    peers: envoy,
    theirs: 'takes one JSON list, as it writes one',
    right: 'either',
    by: `${http} does not say how streams are written`,
    when: statuses(200, 400, /^POST \/v1\/streams\/client /),
  },
  {
    rule: 'an error before the first message is answered as that of any call',
    peers: gateway,
    theirs: 'wraps it in {"error": …}',
    right: 'either',
    by: `${http} does not say how streams are written`,
    when: ({ ours, theirs }, line) =>
      line.startsWith('GET /v1/streams/server/0?code=') && ours.status === theirs.status,
  },
  {
    rule: 'an error after the first message is told in the stream',
    peers: envoy,
    theirs: 'ends the list as if all were there',
    right: 'meshwright',
    by: 'gRPC over HTTP/2: the status is part of the answer, and says whether it is whole',
    when: statuses(200, 200, /^GET \/v1\/streams\/server\/[12]\?code=(5|14) /),
  },
  {
    rule: 'an error in a stream keeps its code, not its message, when it may come from the transport',
    peers: both,
    theirs: 'passes the message on',
    right: 'either',
    by: 'as outside streams',
    when: (_, line) => /\/v1\/streams\/server\/\d\?code=14 /.test(line),
  },
];
