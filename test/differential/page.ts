import type { Difference } from './differences/difference.ts';

/** docs/gateway-differences.md. */
export function pageOf(differences: readonly Difference[]): string {
  const rows = differences.map(({ rule, peers, theirs, right, by }) =>
    [rule, peers.join(', '), theirs, right, by].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
  );
  return `# How the gateway differs from its peers

The same requests, several hundred chosen by hand and generated, go to the gateway, to grpc-gateway v2 and to Envoy's
\`grpc_json_transcoder\`, all in front of one grpc-go backend. The answers must be equal: the status and the JSON, for a stream
its messages and its error, and metadata where the request is about metadata. Each difference is listed here, with
who is right and according to which text. The table is generated from \`test/differential/differences/\`; the suite
\`test/e2e/0b-transcoding.e2e.ts\` fails for a difference that is not in it, and for one in it that no longer occurs.

Where the peers can be configured, they are configured as the specifications require: unknown fields and query parameters are
refused, \`%2F\` is kept in variables of several segments, fields of implicit presence are written. grpc-gateway is configured to accept
\`grpc-metadata-NAME\`. For an error that a gateway itself detects, only the status is compared.

"either" means that the specifications are silent or leave a choice, so the gateway's behaviour is a judgement. They
contradict themselves once: for variables of several segments, \`google/api/http.proto\` says that everything but \`%2F\` is decoded
(path template syntax, which all three follow here), but at \`Http.fully_decode_reserved_expansion\` it says that no reserved
character is decoded unless that option is set.

All three deviate from a specification in two places: a 64-bit integer written as a bare number in a body keeps
every digit, although ProtoJSON would round it to a double; and an error is the JSON of its \`google.rpc.Status\`, although
AIP-193 wraps it in \`error\`, with the HTTP status for its code.

| The gateway | differs from | which | right | by |
| --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |\n`).join('')}`;
}
