import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../exit-codes.ts';
import { isPortAvailable, reservePorts } from './port-reservations.ts';
import { choosePorts, findFreePort, isPortFree } from './ports.ts';

const busy =
  (...ports: number[]) =>
  async (port: number) =>
    !ports.includes(port);

test.each([
  ['a free default is taken', 1, [], { port: 8080 }],
  ['a busy default makes way', 1, [8080, 8081], { port: 8082, busyPort: 8080 }],
  ['several servers need free ports in a row', 3, [8082], { port: 8083, busyPort: 8082 }],
  ['a gap that is too small is skipped', 2, [8080, 8082], { port: 8083, busyPort: 8080 }],
])('%s', async (_, count, taken, expected) => {
  expect(await choosePorts({ port: 8080, explicit: false, count }, busy(...taken))).toEqual(expected);
});

test('a port that was asked for is refused when it is busy, saying how to fix it', async () => {
  const choice = choosePorts({ port: 8080, explicit: true, count: 1 }, busy(8080));
  await expect(choice).rejects.toMatchObject({
    exitCode: EXIT.unreachable,
    details: { fix: expect.stringContaining('--port') },
  });
});

test('a port somebody listens on is not free', async () => {
  const port = await findFreePort();
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  expect(await isPortFree(port)).toBe(false);
});

test('reserved ports are given back', async () => {
  const port = await findFreePort();
  const release = await reservePorts(port, 2);
  expect(release).toBeDefined();
  // The reservation of a living process holds, even against itself.
  expect(await reservePorts(port + 1, 1)).toBeUndefined();
  release?.();
  expect(await isPortAvailable(port)).toBe(true);
});
