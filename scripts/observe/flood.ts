/** More requests than a server can answer: pipelined over many connections until it is told to stop. Usage: flood.ts <port> */
import { connect } from 'node:net';
import { argv } from 'node:process';

const CONNECTIONS = 60;
const PIPELINED = 40;
const REQUEST = 'GET /api/v1/festivals HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
/** A status line is an answer. */
const ANSWER = /HTTP\/1\.1 \d{3}/g;

const port = Number(argv[2]);

function keepBusy(): void {
  const socket = connect(port, '127.0.0.1');
  socket.on('connect', () => socket.write(REQUEST.repeat(PIPELINED)));
  socket.on('data', (chunk) => {
    const answers = chunk.toString('latin1').match(ANSWER)?.length ?? 0;
    if (answers > 0) socket.write(REQUEST.repeat(answers));
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => setTimeout(keepBusy, 200));
}

for (let count = 0; count < CONNECTIONS; count += 1) keepBusy();
