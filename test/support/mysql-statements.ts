/** What a server asks of MySQL, counted on the wire: a proxy in between that looks at the beginning of each packet only. */
import { connect, createServer, type Socket } from 'node:net';

export interface StatementCounter {
  /** In place of the engine's URL. */
  readonly url: string;
  /** Statements since the start: everything a client asks for, BEGIN and COMMIT too. */
  readonly statements: () => number;
  close(): Promise<void>;
}

/** COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE: the commands that carry a statement. */
const STATEMENT_COMMANDS: readonly number[] = [0x03, 0x16, 0x17];
const HEADER_BYTES = 4;

/** Counts in what a client sends: packets of 3 bytes length, 1 byte number, then the command when the number is 0. */
export function createPacketCounter(onStatement: () => void): (chunk: Buffer) => void {
  let header = Buffer.alloc(0);
  let payloadLeft = 0;
  let commandDue = false;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (payloadLeft > 0) {
        if (commandDue && STATEMENT_COMMANDS.includes(chunk[at] ?? 0)) onStatement();
        commandDue = false;
        const taken = Math.min(payloadLeft, chunk.length - at);
        payloadLeft -= taken;
        at += taken;
        continue;
      }
      const taken = Math.min(HEADER_BYTES - header.length, chunk.length - at);
      header = Buffer.concat([header, chunk.subarray(at, at + taken)]);
      at += taken;
      if (header.length < HEADER_BYTES) return;
      payloadLeft = header.readUIntLE(0, 3);
      commandDue = header[3] === 0;
      header = Buffer.alloc(0);
    }
  };
}

export async function countStatements(mysqlUrl: string): Promise<StatementCounter> {
  const target = new URL(mysqlUrl);
  const sockets = new Set<Socket>();
  let statements = 0;
  const proxy = createServer((client) => {
    const server = connect({ host: target.hostname, port: Number(target.port || 3306) });
    const count = createPacketCounter(() => {
      statements += 1;
    });
    client.on('data', count);
    client.pipe(server);
    server.pipe(client);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  const url = new URL(mysqlUrl);
  url.hostname = '127.0.0.1';
  url.port = String(typeof address === 'object' ? address?.port : '');
  return {
    url: url.href,
    statements: () => statements,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
