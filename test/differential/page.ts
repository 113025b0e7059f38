import type { Difference } from './differences/difference.ts';

/** docs/gateway-differences.md. */
export function pageOf(differences: readonly Difference[]): string {
  const rows = differences.map(({ rule, peers, theirs, right, by }) =>
    [rule, peers.join(', '), theirs, right, by].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  return `# How the gateway differs from its peers

The same requests, several hundred chosen by hand and generated, go to the gateway, to grpc-gateway v2 and to Envoy's
\`grpc_json_transcoder\`, all before one grpc-go backend, and the answers have to be the same: status and JSON, of a stream
its messages and its error, and metadata where a request is about it. Where they are not, the difference stands here, with
who is right and by what. The table is made from \`test/differential/differences/\`; the suite
\`test/e2e/0b-transcoding.e2e.ts\` fails for a difference that is not in it, and for one in it that no longer occurs.

Both peers are set up as the specifications ask where they leave a choice: unknown fields and query parameters refused,
\`%2F\` kept in variables of several segments, fields of implicit presence written out. grpc-gateway is told to take
\`grpc-metadata-NAME\`. Of an error that a gateway finds itself only the status is compared.

"either" stands where the specifications are silent or leave a choice; what the gateway does there is a judgement. They
contradict each other once: \`google/api/http.proto\` says of variables of several segments that all but \`%2F\` is decoded
(path template syntax, which all three follow here), and of \`Http.fully_decode_reserved_expansion\` that no reserved
character is unless it is set.

All three leave the letter of a specification in two places: a 64-bit integer that a body has as a bare number keeps
every digit, where ProtoJSON would have it rounded to a double; and an error is the JSON of its \`google.rpc.Status\`, where
AIP-193 wraps it in \`error\`, with the HTTP status for its code.

| The gateway | differs from | which | right | by |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |\n`).join('')}`;
}
