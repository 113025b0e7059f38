// An OpenTelemetry collector's gRPC end: takes OTLP exports on port 4317 and prints each span as a line of JSON.
const http2 = require('node:http2');

/** Fields of a protobuf message by number: numbers for varints, bytes for what is length-delimited. */
function decode(bytes) {
  const fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(value);
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, wire] = [key >>> 3, key & 7];
    let value;
    if (wire === 0) value = varint();
    else {
      const length = wire === 2 ? varint() : wire === 1 ? 8 : 4;
      value = bytes.subarray(at, at + length);
      at += length;
    }
    (fields[field] ??= []).push(value);
  }
  return fields;
}

// opentelemetry/proto/{common,resource,trace}/v1: string attributes alone.
const text = (bytes) => bytes?.toString('utf8') ?? '';
const attributes = (list = []) =>
  Object.fromEntries(
    list.map((bytes) => {
      const { 1: key, 2: value } = decode(bytes);
      return [text(key?.[0]), text(decode(value?.[0] ?? Buffer.alloc(0))[1]?.[0])];
    }),
  );

function* spansOf(request) {
  for (const resourceSpans of decode(request)[1] ?? []) {
    const { 1: resource, 2: scopes = [] } = decode(resourceSpans);
    const service = attributes(decode(resource?.[0] ?? Buffer.alloc(0))[1])['service.name'];
    for (const scope of scopes) {
      for (const bytes of decode(scope)[2] ?? []) {
        const { 1: trace, 2: id, 4: parent, 5: name, 9: list } = decode(bytes);
        yield {
          service,
          trace: trace[0].toString('hex'),
          id: id[0].toString('hex'),
          parent: parent?.[0].toString('hex') ?? '',
          name: text(name?.[0]),
          attributes: attributes(list),
        };
      }
    }
  }
}

const server = http2.createServer();
server.on('stream', (stream, headers) => {
  const chunks = [];
  stream.on('error', () => undefined);
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('end', () => {
    if (headers[':path'] === '/opentelemetry.proto.collector.trace.v1.TraceService/Export') {
      for (const span of spansOf(Buffer.concat(chunks).subarray(5))) console.log(JSON.stringify(span));
    }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.alloc(5));
  });
});
server.listen(4317);
