// The servers of a host outside the mesh. Its argument is JSON: a list of { port, kind, cert, key, ca } (bank.ts).
const https = require('node:https');
const net = require('node:net');
const tls = require('node:tls');

const seen = (socket, rest) => JSON.stringify({ sni: socket.servername || '', ...rest });

const kinds = {
  // HTTPS, by which it tells whom it was called as.
  https: (options) =>
    https.createServer(options, (request, response) => {
      response.end(seen(request.socket, { host: request.headers.host }));
    }),
  // TLS with a certificate of the client, whom it names to whoever says a line.
  mutual: (options) =>
    tls.createServer({ ...options, requestCert: true, rejectUnauthorized: true }, (socket) => {
      socket.on('data', () =>
        socket.write(seen(socket, { client: socket.getPeerCertificate().subject.CN }) + '\n'),
      );
      socket.on('error', () => socket.destroy());
    }),
  // Plain TCP, where the server speaks first.
  plain: () =>
    net.createServer((socket) => {
      socket.write('welcome\n');
      socket.on('data', (data) => socket.write('heard ' + data));
      socket.on('error', () => socket.destroy());
    }),
};

for (const { port, kind, ...options } of JSON.parse(process.argv[1])) {
  const server = kinds[kind](options);
  server.on('tlsClientError', () => undefined);
  server.listen(port);
}
