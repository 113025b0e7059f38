// Makes gRPC calls with an empty message and prints an array of what each got, as JSON. Its argument is JSON (call.ts).
const http2 = require('node:http2');

const { url, path, count, concurrency, metadata, message, timeoutMs, connections } = JSON.parse(
  process.argv[1],
);
const body = Buffer.from(message, 'hex');
const head = Buffer.alloc(5);
head.writeUInt32BE(body.length, 1);
const request = Buffer.concat([head, body]);

const sessions = Array.from({ length: connections }, () => {
  const session = http2.connect(url);
  session.on('error', () => undefined);
  return session;
});

function call(index) {
  return new Promise((resolve) => {
    const started = process.hrtime.bigint();
    let headers = {};
    let bytes = 0;
    const done = (error) =>
      resolve({
        status:
          headers['grpc-status'] ?? (error === undefined ? `http ${headers[':status']}` : `error ${error}`),
        message: headers['grpc-message'] ?? '',
        servedBy: headers['x-served-by'] ?? '',
        headers,
        bytes,
        ms: Number((process.hrtime.bigint() - started) / 1000000n),
      });
    const stream = sessions[index % sessions.length].request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    });
    const timer = setTimeout(() => {
      stream.close(http2.constants.NGHTTP2_CANCEL);
      done('timeout');
    }, timeoutMs);
    const end = (error) => {
      clearTimeout(timer);
      done(error);
    };
    stream.on('response', (received) => (headers = { ...headers, ...received }));
    stream.on('trailers', (received) => (headers = { ...headers, ...received }));
    stream.on('data', (chunk) => (bytes += chunk.length));
    stream.on('error', (error) => end(error.code));
    stream.on('end', () => end());
    stream.end(request);
  });
}

async function main() {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await call(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  // Not process.exit before the output is written: a pipe takes it in parts.
  process.stdout.write(JSON.stringify(results), () => process.exit(0));
}
void main();
