import type { IncomingMessage } from 'node:http';

/** Metadata by name, of the names that a request watches. */
export interface Metadata {
  /** What the backend received. */
  readonly received: Values;
  /** What came back: as header fields, as trailer fields. */
  readonly headers: Values;
  readonly trailers: Values;
}

/** The fields of a response. */
type Fields = Pick<IncomingMessage, 'headers' | 'trailers'>;

type Values = Readonly<Record<string, string>>;

/** Takes what a request watches from the echo in a response's body and from its fields. */
export function watched(names: readonly string[], text: string, response: Fields): Metadata {
  const pick = (fields: NodeJS.Dict<string | readonly string[]>, prefix: string): Values =>
    Object.fromEntries(
      names
        .flatMap((name) => [name, prefix + name])
        .flatMap((name) => (fields[name] === undefined ? [] : [[name, String(fields[name])]])),
    );
  return {
    received: pick(received(text), 'grpc-metadata-'),
    headers: pick(response.headers, 'grpc-metadata-'),
    trailers: pick(response.trailers, 'grpc-trailer-'),
  };
}

interface Echo {
  readonly metadata?: readonly { readonly name: string; readonly values: readonly string[] }[];
}

/** The metadata that an EchoResponse holds; none of a stream or an error. */
function received(text: string): Record<string, readonly string[]> {
  if (!/^\{.*\}\s*$/.test(text) || text.startsWith('{"result"')) return {};
  const { metadata = [] } = JSON.parse(text) as Echo;
  return Object.fromEntries(metadata.map(({ name, values }) => [name, values]));
}
