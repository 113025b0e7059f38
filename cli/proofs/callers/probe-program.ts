import { z } from 'zod';
import { denial } from '../http.ts';
import { limitMs, tryAll, type Answers } from './answers.ts';

/** A call that a probe makes, over gRPC in plaintext: its proxy adds the identity and mutual TLS. */
export interface ProbeCall {
  /** `http://catalog.shop.svc.cluster.local:50051` */
  readonly url: string;
  /** HTTP/2 path of the method. */
  readonly path: string;
  readonly answeredBy: 'service' | 'proxy';
  /** The callee belongs to others: its answers do not tell who gave them, nor its proxy whom it grants what. @default false */
  readonly existing?: boolean;
  /** The callee's image is built elsewhere: its answers do not tell who gave them. @default false */
  readonly foreign?: boolean;
}

/** The last answer to a call, when it was as expected or the time was over. */
export type ProbeAnswer = z.infer<typeof answerSchema>;

const answerSchema = z.object({
  /** `<cluster>/<pod>` of the service that answered; empty for the answer of a proxy. */
  servedBy: z.string(),
  /** The gRPC status's number, as the answer has it; empty when there was none. */
  status: z.string(),
  /** The status's message, or why there was no answer. */
  message: z.string(),
});

export const probeAnswers: Answers<ProbeAnswer> = { word: 'answers: ', schema: answerSchema };

/**
 * What a probe runs. Makes each call, the empty message alone. An answer is the service's when it carries `x-served-by`, which apps/runtime adds to
 * each; that a proxy refuses for want of a grant is PERMISSION_DENIED (7) without it. Of a service without that runtime any status counts
 * that is no proxy's: those make UNAVAILABLE (14) of a callee that they cannot reach, and have a message of their own for what a policy denies.
 */
export const probeProgram = `
const http2 = require('node:http2');
const targets = JSON.parse(process.argv[1]);
const deadline = Date.now() + ${limitMs};
const once = ({ url, path, existing, foreign }) => new Promise((resolve) => {
  const session = http2.connect(url);
  const end = (answer) => {
    clearTimeout(timer);
    session.destroy();
    resolve({ servedBy: '', status: '', message: '', ...answer });
  };
  const timer = setTimeout(() => end({ message: 'no answer within 5 s' }), 5000);
  session.on('error', (error) => end({ message: error.code || error.message }));
  const call = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
  call.on('error', (error) => end({ message: error.code || error.message }));
  let servedBy = '';
  const take = (headers) => {
    servedBy = headers['x-served-by'] || servedBy;
    const status = headers['grpc-status'] || '';
    // What serves without our runtime counts by its status, which may come after the headers.
    if ((servedBy && !existing && !foreign) || status) end({ servedBy, status, message: headers['grpc-message'] || '' });
  };
  call.on('response', take);
  call.on('trailers', take);
  call.resume();
  call.on('close', () => end({ message: 'the call ended without a status' }));
  call.end(Buffer.alloc(5));
});
const isExpected = ({ servedBy, status, message }, { answeredBy, existing, foreign }) => {
  const isDenied = status === '7' && message === '${denial}';
  if (foreign && answeredBy === 'proxy') return isDenied;
  if (!existing && !foreign) return answeredBy === 'service' ? servedBy !== '' : servedBy === '' && status === '7';
  return status !== '' && status !== '14' && (answeredBy === 'proxy' || !isDenied);
};
${tryAll(probeAnswers)}`;

/** Whether an answer is one that was expected. */
export function isExpected(
  { servedBy, status, message }: ProbeAnswer,
  { answeredBy, existing = false, foreign = false }: ProbeCall,
): boolean {
  const isDenied = status === '7' && message === denial;
  if (foreign && answeredBy === 'proxy') return isDenied;
  if (!existing && !foreign)
    return answeredBy === 'service' ? servedBy !== '' : servedBy === '' && status === '7';
  return status !== '' && status !== '14' && (answeredBy === 'proxy' || !isDenied);
}
