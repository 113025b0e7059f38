// Opens TCP connections at once, speaks on each, and prints an array of what each got, as JSON. Its argument is JSON (tcp.ts).
const net = require('node:net');

const { host, port, say, until, serverFirst, count, timeoutMs } = JSON.parse(process.argv[1]);

function connection() {
  return new Promise((resolve) => {
    let received = '';
    let ended = false;
    const end = (outcome) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome, received });
    };
    const socket = net.connect(port, host, () => {
      if (!serverFirst) socket.write(say);
    });
    const timer = setTimeout(() => end('silent'), timeoutMs);
    socket.on('data', (data) => {
      if (serverFirst && received === '') socket.write(say);
      received += data.toString('latin1');
      if (received.includes(until)) end('answered');
    });
    socket.on('error', () => end('closed'));
    socket.on('close', () => end('closed'));
  });
}

Promise.all(Array.from({ length: count }, connection)).then((answers) => {
  console.log(JSON.stringify(answers));
});
