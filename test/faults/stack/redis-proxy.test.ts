/** The proxy against a server that answers every line with what it has executed. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisProxy } from './redis-proxy.ts';

const HOST = '127.0.0.1';

let server: Server;
let proxy: RedisProxy;
let executed: string[];

beforeEach(async () => {
  executed = [];
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      executed.push(chunk.toString());
      socket.write(`+${executed.length}\r\n`);
    });
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  proxy = await RedisProxy.open((server.address() as AddressInfo).port, HOST);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

/** A client, and everything it has received so far. */
async function open(): Promise<{
  readonly socket: Socket;
  readonly received: () => string;
  readonly closed: Promise<unknown>;
}> {
  const socket = connect({ port: proxy.port, host: HOST, noDelay: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  return { socket, received: () => text, closed };
}

const SCRIPT = '*2\r\n$7\r\nevalsha\r\n$2\r\nab\r\n';
const OTHER = '*1\r\n$4\r\nPING\r\n';

async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 5_000; !isSo(); await sleep(5)) {
    if (performance.now() > deadline) throw new Error('it never came true');
  }
}

describe('RedisProxy', () => {
  it('passes both ways', async () => {
    const { socket, received } = await open();
    socket.write(OTHER);
    await until(() => received() === '+1\r\n');
    expect(executed).toEqual([OTHER]);
  });

  it('loses the reply to a script after Redis has executed it, with the connection, and no other', async () => {
    const first = await open();
    const losing = proxy.loseReplies(1);
    first.socket.write(OTHER);
    await until(() => first.received() === '+1\r\n');
    first.socket.write(SCRIPT);
    await first.closed;
    await losing.begun;
    expect(executed).toEqual([OTHER, SCRIPT]);
    expect(first.received()).toBe('+1\r\n');
    expect(losing.dropped()).toBe(1);
    const second = await open();
    second.socket.write(SCRIPT);
    await until(() => second.received() === '+3\r\n');
  });

  it('delays replies and keeps their order, also when the delay ends', async () => {
    const { socket, received } = await open();
    proxy.delayReplies(200);
    const sentAt = performance.now();
    socket.write(OTHER);
    await until(() => executed.length === 1);
    // The reply has to be in the proxy before the delay ends.
    await sleep(50);
    proxy.delayReplies(0);
    socket.write(OTHER);
    await until(() => received().length === 8);
    expect(received()).toBe('+1\r\n+2\r\n');
    expect(performance.now() - sentAt).toBeGreaterThan(190);
  });

  it('cuts the line until it is mended', async () => {
    const before = await open();
    proxy.cutOff();
    await before.closed;
    const during = await open();
    await during.closed;
    proxy.mend();
    const after = await open();
    after.socket.write(OTHER);
    await until(() => after.received() !== '');
  });
});
