// Makes HTTP requests, each over a connection of its own, and prints an array of what each got, as JSON. Its argument is JSON (web.ts).
const http = require('node:http');

const requests = JSON.parse(process.argv[1]);

function make({ host, port, verb, path }) {
  return new Promise((resolve) => {
    const request = http.request(
      { host, port, method: verb, path, agent: false, timeout: 15_000 },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => (body += text));
        response.on('end', () => resolve({ status: response.statusCode, body }));
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 15 s')));
    request.on('error', (error) => resolve({ status: 0, body: error.code || error.message }));
    request.end();
  });
}

Promise.all(requests.map(make)).then((answers) => console.log(JSON.stringify(answers)));
