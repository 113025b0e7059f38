/** How a call from outside the mesh ended, and why. */
export interface OutsiderAnswer {
  /**
   * `refused`: the connection stood, and the request on it got no answer. `denied`: a proxy took the request, and refused it for
   * want of an identity. Neither shows a wrong mesh; `unconnected` and `silent` show nothing.
   */
  readonly word: 'refused' | 'denied' | 'answered' | 'unconnected' | 'silent';
  readonly why: string;
}

const words: readonly string[] = [
  'refused',
  'denied',
  'answered',
  'unconnected',
  'silent',
] satisfies readonly OutsiderAnswer['word'][];

/**
 * What the pod outside runs, for each URL among its arguments: a TCP connection, then an HTTP/2 request in plaintext. It prints a line
 * for each, in their order: one word and the reason. What Envoy says where a policy denies a call is in
 * `source/extensions/filters/http/rbac/rbac_filter.cc`.
 */
export const outsiderProgram = `
const http2 = require('node:http2');
const isDenial = (headers) => headers['grpc-status'] === '7' && headers['grpc-message'] === 'RBAC: access denied';
const call = (url) => new Promise((resolve) => {
  const session = http2.connect(url);
  let connected = false;
  const end = (word, why) => { clearTimeout(timer); session.destroy(); resolve(word + ' ' + why); };
  const timer = setTimeout(() => end('silent', 'no answer within 10 s'), 10000);
  session.on('connect', () => { connected = true; });
  session.on('error', (error) => end(connected ? 'refused' : 'unconnected', error.code || error.message));
  session.on('close', () => end(connected ? 'refused' : 'unconnected', 'the connection was closed'));
  const call = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers' });
  call.on('error', () => {});
  call.on('response', (headers) => end(isDenial(headers) ? 'denied' : 'answered', isDenial(headers) ? headers['grpc-message'] : 'HTTP ' + headers[':status']));
  call.end(Buffer.from([0, 0, 0, 0, 0]));
});
Promise.all(process.argv.slice(1).map(call)).then((lines) => console.log(lines.join('\\n')));
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
