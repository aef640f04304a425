import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GatheringRedis } from './gathering-redis.ts';

/** Answers every command with OK, however they come. */
let server: Server;
let sockets: Socket[];
let redis: GatheringRedis;

beforeEach(async () => {
  sockets = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => {
      socket.write('+OK\r\n'.repeat(text.split(/(?:^|\r\n)\*\d+\r\n/).length - 1));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  redis = new GatheringRedis({ port, lazyConnect: true, enableReadyCheck: false, disableClientInfo: true });
  redis.on('error', () => undefined);
  await redis.connect();
  await redis.set('a', '1');
});
afterEach(async () => {
  redis.disconnect();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

/** Commands in each write to the socket meanwhile. */
async function writesDuring(work: () => Promise<unknown>): Promise<readonly number[]> {
  const { stream } = redis;
  const sizes: number[] = [];
  const one = vi.spyOn(stream, '_write').mockName('_write');
  const many = vi.spyOn(stream as Required<typeof stream>, '_writev');
  one.mockImplementation(function (this: typeof stream, ...args) {
    sizes.push(1);
    Object.getPrototypeOf(stream)._write.apply(stream, args);
  });
  many.mockImplementation((chunks, callback) => {
    sizes.push(chunks.length);
    Object.getPrototypeOf(stream)._writev.call(stream, chunks, callback);
  });
  await work();
  one.mockRestore();
  many.mockRestore();
  return sizes;
}

const ask = (count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, index) => redis.set('key', String(index))));

it('sends the commands of a turn in one write', async () => {
  expect(await writesDuring(() => ask(20))).toEqual([20]);
  expect(
    await writesDuring(async () => {
      const first = ask(3);
      await turn();
      await Promise.all([first, ask(4)]);
    }),
  ).toEqual([3, 4]);
});

it('keeps no more than 64 waiting', async () => {
  expect(await writesDuring(() => ask(150))).toEqual([64, 64, 22]);
});

it('sends what waits for long when somebody looks', async () => {
  const writes = await writesDuring(async () => {
    const first = ask(2);
    redis.sendOverdue(performance.now());
    const second = ask(1);
    redis.sendOverdue(performance.now() + 2);
    await Promise.all([first, second, ask(5)]);
  });
  expect(writes).toEqual([3, 5]);
  redis.sendOverdue(performance.now() + 1_000);
  expect(await writesDuring(() => ask(2))).toEqual([2]);
});

it('goes on over a new connection after one that was lost while commands waited', async () => {
  const lost = ask(5).catch((error: unknown) => error);
  const again = new Promise((resolve) => redis.once('ready', resolve));
  redis.stream.destroy();
  await again;
  await lost;
  expect(await writesDuring(() => ask(7))).toEqual([7]);
  expect(await redis.set('b', '2')).toBe('OK');
});
