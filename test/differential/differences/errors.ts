import { both, envoy, gateway, json } from './difference.ts';
import type { Difference } from './difference.ts';

/** Errors that a service answers with. */
export const errorDifferences: readonly Difference[] = [
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
    by: 'AIP-193, Status.details',
    when: ({ ours, theirs }, line) =>
      line.includes('google.rpc.') && theirs.text.startsWith('details[0]') && ours.json !== undefined,
  },
  {
    rule: 'details of an error are written without fields of their default value',
    peers: gateway,
    theirs: 'writes them as in messages',
    right: 'either',
    by: `${json}, presence and default values: an option`,
    when: ({ ours, theirs }, line) => line.includes('google.rpc.') && ours.status === theirs.status,
  },
];
