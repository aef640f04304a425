/** Real connections: what is tested is when room begins and ends. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { shareRoom } from './shared-port.ts';

const EVERY_MS = 20;
const ROOM = 3;

let server: Server;
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  server.close();
});

async function openPort(everyMs: number) {
  const told: boolean[] = [];
  let hear: (isThere: boolean) => void = () => undefined;
  server = createServer();
  server.maxConnections = ROOM;
  shareRoom(
    server,
    {
      tellRoom: (hasRoom) => told.push(hasRoom),
      onRoom: (listener) => {
        hear = listener;
      },
    },
    everyMs,
  );
  const drops = () => (server as Server & { dropMaxConnection?: boolean }).dropMaxConnection;
  const hearRoom = (isThere: boolean) => hear(isThere);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { told, drops, hearRoom };
}

/** Resolves when so many are open. */
async function untilOpen(wanted: number): Promise<void> {
  const count = () => new Promise<number>((resolve) => server.getConnections((_error, open) => resolve(open)));
  while ((await count()) !== wanted) await sleep(1);
}

/** So many more. */
async function fill(count: number): Promise<void> {
  const before = clients.length;
  for (let made = 0; made < count; made += 1) {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
    clients.push(client);
    await once(client, 'connect');
  }
  await untilOpen(before + count);
}

async function leave(): Promise<void> {
  clients.pop()?.destroy();
  await untilOpen(clients.length);
}

test('a process closes what is more than it takes, unless it hears that another one has room', async () => {
  const { drops, hearRoom } = await openPort(EVERY_MS);
  expect(drops()).toBe(true);
  hearRoom(true);
  expect(drops()).toBe(false);
  hearRoom(false);
  expect(drops()).toBe(true);
});

test('room is told again and again; that there is none any more at once, and once', async () => {
  const { told } = await openPort(EVERY_MS);
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(2));
  expect(told).not.toContain(false);
  await fill(ROOM);
  await sleep(10 * EVERY_MS);
  expect(told.slice(told.indexOf(false))).toEqual([false]);
  await leave();
  await vi.waitFor(() => expect(told.at(-1)).toBe(true));
});

test('the last connection there is room for is noticed when it comes, also when others have gone since the last look', async () => {
  const { told } = await openPort(60_000);
  await fill(ROOM - 1);
  await leave();
  expect(told).toEqual([true]);
  // As many have come as there is room for, and one has gone.
  await fill(1);
  await vi.waitFor(() => expect(told).toEqual([true, true]));
  await fill(1);
  await vi.waitFor(() => expect(told).toEqual([true, true, false]));
});

test('a process that closes its part of the port has no room', async () => {
  const { told } = await openPort(EVERY_MS);
  await fill(1);
  server.close();
  await vi.waitFor(() => expect(told.at(-1)).toBe(false));
  const count = told.length;
  await sleep(3 * EVERY_MS);
  expect(told).toHaveLength(count);
});
