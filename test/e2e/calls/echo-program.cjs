// A gRPC server without a proto: it answers any method with an empty message, and does what the call's metadata asks.
// Run in the place of an app by echo.ts, with the environment that the charts give every container.
//   x-delay-ms: N           answers after N milliseconds
//   x-status: N             ends with this gRPC status
//   x-fail-first: KEY:N     ends with UNAVAILABLE the first N times it sees this key
//   x-fail-in: CLUSTER      ends with UNAVAILABLE in this cluster
//   x-messages: N           sends N messages, x-delay-ms apart: a server stream
// Response metadata: x-served-by (cluster/pod), x-version, x-attempt (how often it has seen the key), x-metadata (the
// call's headers as JSON). Each call is logged as a line of JSON.
const http2 = require('node:http2');
const { setTimeout: sleep } = require('node:timers/promises');

const { CLUSTER_NAME, POD_NAME, GRPC_PORT } = process.env;
const UNAVAILABLE = 14;
const seen = new Map();
const sessions = new Set();
let serving = true;

const frame = (body) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
};

const server = http2.createServer();
server.on('session', (session) => {
  sessions.add(session);
  session.on('close', () => sessions.delete(session));
  session.on('error', () => undefined);
});
server.on('stream', (stream, headers) => {
  stream.on('error', () => undefined);
  stream.resume();
  stream.on('end', () => void answer(stream, headers));
});

async function answer(stream, headers) {
  const path = headers[':path'];
  if (path === '/grpc.health.v1.Health/Check') {
    respond(stream, {}, '0', frame(Buffer.from([8, serving ? 1 : 2])));
    return;
  }
  const [key, times] = (headers['x-fail-first'] ?? ':0').split(':');
  const attempt = (seen.get(key) ?? 0) + 1;
  if (key !== '') seen.set(key, attempt);
  const plain = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
  console.log(JSON.stringify({ path, attempt, headers: plain }));
  const delay = Number(headers['x-delay-ms'] ?? 0);
  const messages = Number(headers['x-messages'] ?? 1);
  const metadata = {
    'x-served-by': `${CLUSTER_NAME}/${POD_NAME}`,
    'x-attempt': String(attempt),
    'x-metadata': JSON.stringify(plain),
  };
  if (attempt <= Number(times) || headers['x-fail-in'] === CLUSTER_NAME)
    return respond(stream, metadata, String(UNAVAILABLE));
  if (messages === 1) {
    if (delay > 0) await sleep(delay);
    const status = headers['x-status'] ?? '0';
    return respond(stream, metadata, status, status === '0' ? frame(Buffer.alloc(0)) : Buffer.alloc(0));
  }
  start(stream, metadata, headers['x-status'] ?? '0');
  for (let sent = 0; sent < messages && !stream.destroyed; sent++) {
    stream.write(frame(Buffer.alloc(0)));
    await sleep(delay);
  }
  if (!stream.destroyed) stream.end();
}

function start(stream, metadata, status) {
  if (stream.destroyed) return;
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', ...metadata },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
}

function respond(stream, metadata, status, body = Buffer.alloc(0)) {
  if (stream.destroyed) return;
  if (status !== '0') {
    // As gRPC servers do that fail before they send anything: "Trailers-Only" (gRPC over HTTP/2), which proxies can retry.
    const only = { ':status': 200, 'content-type': 'application/grpc', ...metadata, 'grpc-status': status };
    stream.respond(only, { endStream: true });
    return;
  }
  start(stream, metadata, status);
  if (!stream.destroyed) stream.end(body);
}

process.on('SIGTERM', () => {
  serving = false;
  // Endpoints are taken out of use while this still answers.
  setTimeout(() => {
    server.close(() => process.exit(0));
    for (const session of sessions) session.close();
  }, 10_000);
});
server.listen(Number(GRPC_PORT));
