import { createHash } from 'node:crypto';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';

/** What a program in a pod does: output, and how it ends. */
export interface Ran {
  readonly stdout?: string;
  readonly stderr?: string;
  /** @default 0 */
  readonly exitCode?: number;
}

/** Runs a program in a pod; undefined where there is no such pod. */
export type RunInPod = (pod: string, command: readonly string[]) => Ran | undefined;

/**
 * The exec subresource of pods over a real WebSocket (RFC 6455, and Kubernetes' `v5.channel.k8s.io`): output on channels 1
 * and 2, the status on channel 3.
 */
export function serveExec(server: Server, run: RunInPod): void {
  server.on('upgrade', (request, socket: Duplex) => {
    const url = new URL(request.url ?? '/', 'https://kube-api');
    const pod = /\/pods\/([^/]+)\/exec$/.exec(url.pathname)?.[1];
    const ran = pod === undefined ? undefined : run(pod, url.searchParams.getAll('command'));
    socket.on('error', () => socket.destroy());
    // Nothing that the client sends is of interest but its end.
    socket.on('end', () => socket.destroy()).resume();
    if (ran === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const key = `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
        'Sec-WebSocket-Protocol: v5.channel.k8s.io',
        '\r\n',
      ].join('\r\n'),
    );
    if (ran.stdout !== undefined) socket.write(frame(1, ran.stdout));
    if (ran.stderr !== undefined) socket.write(frame(2, ran.stderr));
    socket.write(frame(3, JSON.stringify(statusOf(ran.exitCode ?? 0))));
    // A close frame; the client answers it and ends.
    socket.end(Buffer.from([0x88, 0x00]));
  });
}

function frame(channel: number, data: string): Buffer {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(data)]);
  const header = payload.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4);
  header[0] = 0x82;
  if (payload.length < 126) header[1] = payload.length;
  else {
    header[1] = 126;
    header.writeUInt16BE(payload.length, 2);
  }
  return Buffer.concat([header, payload]);
}

function statusOf(exitCode: number): object {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: `${exitCode}` }] },
  };
}
