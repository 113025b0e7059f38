import { denial } from './http.ts';

/** A port that is called from outside the mesh, by what it speaks. */
export interface OutsiderCall {
  readonly protocol: 'grpc' | 'http' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** How a call from outside the mesh ended, and why. */
export interface OutsiderAnswer {
  /**
   * `refused`: the connection stood, and was closed without a byte for the call on it. `denied`: a proxy took the request, and refused it
   * for want of an identity. Neither shows a wrong mesh; `unconnected` and `silent` show nothing. `open`: something took what was sent over
   * TCP, and waits for more.
   */
  readonly word: 'refused' | 'denied' | 'answered' | 'open' | 'unconnected' | 'silent';
  readonly why: string;
}

/** How long a call may take, in milliseconds. */
export const outsiderLimitMs = 10_000;

const words: readonly string[] = [
  'refused',
  'denied',
  'answered',
  'open',
  'unconnected',
  'silent',
] satisfies readonly OutsiderAnswer['word'][];

/**
 * What the pod outside runs, for each of the calls that it gets: a TCP connection, then in plaintext a request over HTTP/2 or HTTP/1.1, or a few
 * bytes. It takes them, and a limit in milliseconds. It prints a line for each, in their order: one word and the reason. Whatever comes back is an answer, also what no client of
 * HTTP understands; but for what Envoy says where a policy denies a call (`source/extensions/filters/http/rbac/rbac_filter.cc`).
 *
 * The bytes are five, as the proxy looks at no fewer before it knows that they are no TLS. They begin a message of eight, by the length before
 * messages of PostgreSQL, Kafka and others; what goes by lines (Redis, memcached) or by longer heads waits for the rest as well. So a server
 * that gets them keeps the connection, or answers; few close it.
 */
export const outsiderProgram = `
const [http, http2, net] = ['http', 'http2', 'net'].map((name) => require('node:' + name));
const [calls, limitMs] = process.argv.slice(1).map((arg) => JSON.parse(arg));
const denial = '${denial}';
const speaks = {
  grpc: (socket, { host, port }, end) => {
    const session = http2.connect('http://' + host + ':' + port, { createConnection: () => socket });
    session.on('error', () => {});
    const call = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' });
    call.on('error', () => {});
    call.on('response', (headers) => {
      const isDenied = headers['grpc-status'] === '7' && headers['grpc-message'] === denial;
      end(isDenied ? 'denied' : 'answered', isDenied ? denial : 'HTTP ' + headers[':status']);
    });
    call.end(Buffer.alloc(5));
  },
  http: (socket, { host, port }, end) => {
    const request = http.get({ host, port, path: '/', createConnection: () => socket }, (response) => {
      const answered = () => end('answered', 'HTTP ' + response.statusCode);
      if (response.statusCode !== 403) return answered();
      let body = '';
      response.on('data', (part) => {
        body += part;
        if (body.startsWith(denial)) end('denied', denial);
      });
      response.on('end', answered);
      response.on('error', answered);
    });
    request.on('error', () => {});
  },
  tcp: (socket) => {
    socket.on('data', () => {});
    socket.on('connect', () => socket.write(Buffer.from([0, 0, 0, 8, 4])));
  },
};
const make = (call) => new Promise((resolve) => {
  const socket = net.connect(call.port, call.host);
  let [connected, failure] = [false, 'the connection was closed'];
  const end = (word, why) => { clearTimeout(timer); socket.destroy(); resolve(word + ' ' + why); };
  const timer = setTimeout(() => {
    if (socket.bytesRead > 0) end('answered', 'with something else');
    else if (connected && call.protocol === 'tcp') end('open', 'for ' + limitMs / 1000 + ' s');
    else end('silent', 'no answer within ' + limitMs / 1000 + ' s');
  }, limitMs);
  socket.on('connect', () => { connected = true; });
  socket.on('error', (error) => { failure = error.code || error.message; });
  socket.on('close', () => {
    if (socket.bytesRead > 0) end('answered', 'with something else');
    else end(connected ? 'refused' : 'unconnected', failure);
  });
  speaks[call.protocol](socket, call, end);
});
Promise.all(calls.map(make)).then((lines) => console.log(lines.join('\\n')));
`;

/** What it printed; undefined for something else. */
export function readOutsider(printed: string): readonly OutsiderAnswer[] | undefined {
  const answers = printed
    .trim()
    .split('\n')
    .map((line) => {
      const [word = '', ...why] = line.split(' ');
      return { word, why: why.join(' ') };
    });
  return answers.every(isAnswer) ? answers : undefined;
}

function isAnswer(one: { readonly word: string; readonly why: string }): one is OutsiderAnswer {
  return words.includes(one.word);
}
