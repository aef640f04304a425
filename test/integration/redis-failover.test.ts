/** A replica takes over, as managed services make it: the address leads to it from then on, and the old primary lives on as a replica. */
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engines, startEngines } from '@fest/cli/local-stack/engines';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { engines, integration } from '../support/integration.ts';
import { buy, eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

const PASSWORD = 'the-same-on-both';

/** A private Redis with that password, which a replica of it has to have as well. */
async function startRedis(directory: string): Promise<{ engines: Engines; redis: Redis; port: number }> {
  const own = await startEngines({ directory, env: { PATH: process.env.PATH, FEST_MYSQL_URL: engines().mysqlUrl } });
  const redis = new Redis(own.redisUrl);
  await redis.config('SET', 'masterauth', PASSWORD);
  await redis.config('SET', 'requirepass', PASSWORD);
  return { engines: own, redis, port: Number(new URL(own.redisUrl).port) };
}

integration('a Redis that fails over while its old primary lives', () => {
  const directories: string[] = [];
  let [first, second]: (Awaited<ReturnType<typeof startRedis>> | undefined)[] = [];
  let address: Server;
  let server: TestApp;
  /** Where the address leads; connections that there are stay where they are. */
  let leadsTo: number;

  beforeAll(async () => {
    for (let made = 0; made < 2; made += 1) directories.push(await mkdtemp(join(tmpdir(), 'fest-failover-')));
    first = await startRedis(directories[0] ?? '');
    second = await startRedis(directories[1] ?? '');
    leadsTo = first.port;
    address = createServer((incoming) => {
      const outgoing = connect(leadsTo, '127.0.0.1');
      incoming.pipe(outgoing).pipe(incoming);
      for (const [one, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const)
        one.on('error', () => other.destroy());
    });
    await new Promise<void>((resolve) => address.listen(0, '127.0.0.1', resolve));
    const { port } = address.address() as AddressInfo;
    const redisUrl = `redis://default:${PASSWORD}@127.0.0.1:${port}`;
    server = await buildTestApp({ engines: { redisUrl, mysqlUrl: engines().mysqlUrl } });
  });
  afterAll(async () => {
    await server?.close();
    address?.close();
    for (const one of [first, second]) {
      one?.redis.disconnect();
      await one?.engines.stop();
    }
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  });

  it('is left for the new one, and the sale goes on under the next epoch', async () => {
    const sale = await server.createSale({ capacity: 5 });
    const [before, after] = [await server.createAccount(), await server.createAccount()];
    const order = await buy(server, before, sale.id);

    await second?.redis.replicaof('127.0.0.1', first?.port ?? 0);
    await eventually(
      async () => /master_link_status:up/.test((await second?.redis.info('replication')) ?? ''),
      'the replica is in step',
      30_000,
    );
    await second?.redis.replicaof('NO', 'ONE');
    leadsTo = second?.port ?? 0;
    await first?.redis.replicaof('127.0.0.1', leadsTo);

    await eventually(async () => server.core.live.get(sale.id)?.snapshot.epoch === 2, 'the sale is built anew', 30_000);
    const next = await buy(server, after, sale.id);
    expect(next.tickets.map(({ ticketNumber }) => ticketNumber)).not.toContain(order.tickets[0]?.ticketNumber);
    expect((await server.core.live.refresh(sale.id))?.snapshot).toMatchObject({ available: 3, held: 0, sold: 2 });
  });
});
