// Makes calls at a constant rate until SIGTERM, and reports what they got (steady-load.ts; docs in load-mesh.ts).
// Run with `node -e PROGRAM JSON`, in the place of an app or on the machine. Each report is a line of JSON:
//   at        when it was made, in milliseconds since the epoch
//   settled   every call that started before this time has ended and is counted
//   totals    { FLOW: { STATUS: number of calls since the process started } }; `late` follows the status of a good one that
//             took longer than lateMs
//   failures  [{ flow, at, status, message }], since the last report, the first of each
//   ended     true in the last one: no call was left out
//   took      in the last one: { FLOW: { p50, p99 } }, how long its good calls took, in milliseconds
// As a gRPC client it keeps connections and shares them between calls, opens a new one after a GOAWAY, and sends a call
// once more only if the other side says it has not begun with it (REFUSED_STREAM; gRPC A6, "transparent retries").
// As an HTTP client it keeps connections, and sends a GET once more when a kept one turns out to be closed (RFC 9110, 9.2.2).
const http = require('node:http');
const http2 = require('node:http2');

const { CLUSTER_NAME, GRPC_PORT } = process.env;
const { flows, deadlineMs, lateMs, connections, ...all } = JSON.parse(process.argv[1]);
const shownFailures = 20;
const reportMs = 500;
const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = http2.constants;

const agent = new http.Agent({ keepAlive: true });
const totals = {};
const took = {};
const inFlight = new Set();
let failures = [];
let stopping = false;

/** The connections of a flow, in turn. */
function pool(url) {
  const sessions = Array(connections);
  let next = 0;
  return () => {
    const index = next++ % connections;
    const session = sessions[index];
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    sessions[index] = http2.connect(url);
    // What it means for a call is said by the call's stream.
    sessions[index].on('error', () => undefined);
    return sessions[index];
  };
}

/** A length-prefixed message (gRPC over HTTP/2, "Requests"). */
function framed(hex) {
  const message = Buffer.from(hex, 'hex');
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function grpcCall(connection, flow, signal, again = true) {
  return new Promise((resolve) => {
    let headers = {};
    let failed;
    const stream = connection().request({
      ':method': 'POST',
      ':path': flow.path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${deadlineMs}m`,
    });
    const cancel = () => stream.close(NGHTTP2_CANCEL);
    signal.addEventListener('abort', cancel);
    stream.on('response', (received) => (headers = { ...headers, ...received }));
    stream.on('trailers', (received) => (headers = { ...headers, ...received }));
    stream.on('error', (error) => (failed = error));
    stream.on('data', () => undefined);
    stream.on('close', () => {
      signal.removeEventListener('abort', cancel);
      const unseen = headers[':status'] === undefined && stream.rstCode === NGHTTP2_REFUSED_STREAM;
      if (unseen && again && !signal.aborted) return resolve(grpcCall(connection, flow, signal, false));
      const status = headers['grpc-status'];
      if (status !== undefined) return resolve({ status, message: headers['grpc-message'] ?? '' });
      if (failed !== undefined)
        return resolve({ status: `error ${failed.cause?.code ?? failed.code}`, message: failed.message });
      resolve({ status: `http ${headers[':status'] ?? 'without an answer'}`, message: '' });
    });
    stream.end(framed(flow.message ?? ''));
  });
}

function httpCall({ url, host }, signal, again = true) {
  return new Promise((resolve) => {
    // The gateway's own limit is shorter.
    const headers = { 'grpc-timeout': `${deadlineMs}m`, ...(host !== undefined && { host }) };
    const request = http.get(url, { agent, headers, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (body += chunk));
      response.on('error', (error) => resolve({ status: `error ${error.code}`, message: error.message }));
      response.on('end', () =>
        resolve({
          status: `http ${response.statusCode}`,
          message: response.statusCode === 200 ? '' : body.slice(0, 200),
        }),
      );
    });
    request.on('error', (error) => {
      const stale = request.reusedSocket && error.code === 'ECONNRESET';
      resolve(
        stale && again
          ? httpCall({ url, host }, signal, false)
          : { status: `error ${error.code}`, message: error.message },
      );
    });
  });
}

async function call(flow, connection) {
  const at = Date.now();
  const began = performance.now();
  const entry = { at };
  inFlight.add(entry);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), deadlineMs);
  let got;
  try {
    got = await (connection === undefined
      ? httpCall(flow, deadline.signal)
      : grpcCall(connection, flow, deadline.signal));
  } catch (error) {
    got = { status: `error ${error.code}`, message: error.message };
  }
  clearTimeout(timer);
  inFlight.delete(entry);
  const good = got.status === '0' || got.status === 'http 200';
  if (good) took[flow.name].push(performance.now() - began);
  if (!good && deadline.signal.aborted)
    got = { status: 'deadline', message: `no answer within ${deadlineMs} ms` };
  const counts = (totals[flow.name] ??= {});
  const counted = good && Date.now() - at > lateMs ? `${got.status} late` : got.status;
  counts[counted] = (counts[counted] ?? 0) + 1;
  if (!good && failures.length < shownFailures) failures.push({ flow: flow.name, at, ...got });
}

/** Calls are started by the clock, however long the earlier ones take; those that a pause of the process left out stay out. */
function run(flow) {
  totals[flow.name] = {};
  took[flow.name] = [];
  const connection = flow.path === undefined ? undefined : pool(flow.url);
  const { perSecond = all.perSecond } = flow;
  const began = Date.now();
  let started = 0;
  setInterval(() => {
    if (stopping) return;
    const due = Math.floor(((Date.now() - began) / 1000) * perSecond);
    started = Math.max(started, due - perSecond);
    for (; started < due; started++) void call(flow, connection);
  }, 10);
}

function report(ended, then) {
  const at = Date.now();
  const settled = Math.min(at, ...[...inFlight].map((entry) => entry.at));
  const line = JSON.stringify({
    at,
    settled,
    totals,
    failures,
    ended,
    took: ended ? percentiles() : undefined,
  });
  failures = [];
  process.stdout.write(`${line}\n`, then);
}

function percentiles() {
  return Object.fromEntries(
    Object.entries(took).map(([name, times]) => {
      const sorted = times.toSorted((a, b) => a - b);
      const at = (share) => sorted[Math.ceil(sorted.length * share) - 1];
      return [name, { p50: at(0.5), p99: at(0.99) }];
    }),
  );
}

/** Says that it serves, to whoever probes it as a gRPC server. */
function serveHealth(port) {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    stream.resume();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  });
  server.listen(port);
}

process.on('SIGTERM', () => {
  stopping = true;
  const timer = setInterval(() => {
    if (inFlight.size > 0) return;
    clearInterval(timer);
    // Who follows the log of a container has to get its last line before the container is gone.
    report(true, () => setTimeout(() => process.exit(0), GRPC_PORT === undefined ? 0 : 2000));
  }, 50);
});

process.stdout.on('error', () => process.exit(1));
if (GRPC_PORT !== undefined) serveHealth(Number(GRPC_PORT));
for (const flow of flows.filter(({ from }) => from === undefined || from === CLUSTER_NAME)) run(flow);
report(false);
const reports = setInterval(() => (stopping ? clearInterval(reports) : report(false)), reportMs);
