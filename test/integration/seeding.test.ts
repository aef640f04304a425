import { readFileSync } from 'node:fs';
import { selectRows } from '@fest/server/platform/mysql-statements';
import { saleKeys } from '@fest/server/redis/keys';
import { type SeedReport, seedFromFile } from '@fest/server/seeding/seed';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { integration } from '../support/integration.ts';
import { eventually } from '../support/purchase.ts';
import { buildTestApp, type TestApp } from '../support/test-app.ts';

let fest: TestApp;

const DEMO = readFileSync(new URL('../../demo/festival.yaml', import.meta.url), 'utf8');
const seed = (text: string): Promise<SeedReport> => seedFromFile({ file: 'demo.yaml', text, ...fest.stores });
const outcomes = (report: SeedReport) => report.festivals.flatMap(({ sales }) => sales.map(({ outcome }) => outcome));

function saleId(report: SeedReport, key: string): number {
  const sale = report.festivals.flatMap(({ sales }) => sales).find((entry) => entry.key === key);
  if (sale === undefined || sale.outcome === 'refused') throw new Error(`${key} was refused`);
  return sale.id;
}

async function readSale(id: number) {
  return (await fest.app.inject({ method: 'GET', url: `/api/v1/sales/${id}` })).json();
}

/** One sale that opens later, so that nothing of it is settled. */
function oneSale(key: string, { capacity = 10, price = 100, opensAt = '+1h', organizer = '' } = {}): string {
  return `${organizer}festivals:
  - key: ${key}
    title: A festival
    venue: Somewhere
    startsAt: +30d
    endsAt: +31d
    sales:
      - { key: day, name: Day, price: ${price}, currency: EUR, capacity: ${capacity}, limitPerBuyer: 4, opensAt: ${opensAt}, closesAt: +30d, refundUntil: +10d }
`;
}

integration('seeding', () => {
  beforeAll(async () => {
    fest = await buildTestApp();
  });
  afterAll(async () => {
    await fest.close();
  });

  test('without any organizer nothing is made and the reason is told', async () => {
    const report = await seed(oneSale('early'));
    expect(report).toMatchObject({ festivalsRefused: 1, salesRefused: 1, festivalsCreated: 0 });
    expect(report.festivals[0]).toMatchObject({ reason: 'there is no organizer account' });
    expect(await selectRows(fest.services.mysql, 'SELECT id FROM festivals')).toEqual([]);
  });

  test('the demo file makes a festival whose sales have their whole stock, and repeating it changes nothing', async () => {
    await fest.createAccount(['organizer']);
    const first = await seed(DEMO);
    expect(first).toMatchObject({ festivalsCreated: 1, salesCreated: 4, salesRefused: 0 });
    const day = await readSale(saleId(first, 'day-1'));
    expect(day).toMatchObject({ capacity: 1000, price: 5900, stock: { available: 1000, held: 0, sold: 0 } });
    const again = await seed(DEMO);
    expect(again).toMatchObject({ festivalsUnchanged: 1, salesUnchanged: 4, salesCreated: 0, salesUpdated: 0 });
    expect(saleId(again, 'day-1')).toBe(saleId(first, 'day-1'));
    expect(await readSale(saleId(first, 'day-1'))).toMatchObject({ opensAt: day.opensAt, closesAt: day.closesAt });
  });

  test('what changed in the file changes the sale, through to its stock', async () => {
    const id = saleId(await seed(oneSale('changing')), 'day');
    expect(await seed(oneSale('changing', { capacity: 25, price: 200 }))).toMatchObject({ salesUpdated: 1 });
    await fest.core.live.refresh(id);
    await expect
      .poll(() => readSale(id), { timeout: 2_000 })
      .toMatchObject({ capacity: 25, price: 200, stock: { available: 25 } });
  });

  test('two seeds of one file at once make everything once', async () => {
    const reports = await Promise.all([seed(oneSale('twice')), seed(oneSale('twice'))]);
    expect(reports.flatMap(outcomes).sort()).toEqual(['created', 'unchanged']);
  });

  test('what the opening has settled is refused with its reason, and the rest of the file is applied', async () => {
    const opened = oneSale('settled', { opensAt: '+0s' });
    await seed(opened);
    const [, other] = oneSale('beside').split('festivals:\n');
    const report = await seed(oneSale('settled', { opensAt: '+0s', price: 1 }) + other);
    expect(report).toMatchObject({ salesRefused: 1, salesCreated: 1 });
    expect(report.festivals[0]?.sales[0]).toMatchObject({
      outcome: 'refused',
      reason: 'the sale has opened: price cannot change any more',
    });
  });

  test('a sale whose Redis state is gone is not given new stock', async () => {
    const id = saleId(await seed(oneSale('lost')), 'day');
    // The server has heard of the sale; from here on it looks away, else it would restore it.
    await eventually(async () => fest.core.live.get(id) !== undefined, 'the server follows the sale');
    fest.core.live.unfollow(id);
    await fest.services.redis.del(saleKeys.sale(id));
    expect(await seed(oneSale('lost'))).toMatchObject({ salesUnchanged: 1 });
    const report = await seed(oneSale('lost', { capacity: 50 }));
    expect(report.festivals[0]?.sales[0]).toMatchObject({
      outcome: 'refused',
      reason: expect.stringContaining('no state'),
    });
    expect(await fest.services.redis.exists(saleKeys.sale(id))).toBe(0);
  });

  test('the owner is the organizer the file names', async () => {
    const owner = await fest.createAccount(['organizer']);
    const sql = 'SELECT email FROM accounts WHERE id = ?';
    const [row] = await selectRows<{ email: string }>(fest.services.mysql, sql, [owner.id]);
    await seed(oneSale('owned', { organizer: `organizer: ${row?.email.toUpperCase()}\n` }));
    const owned = await selectRows(fest.services.mysql, "SELECT organizer_id FROM festivals WHERE seed_key = 'owned'");
    expect(owned).toEqual([{ organizer_id: owner.id }]);
    const report = await seed(oneSale('orphan', { organizer: 'organizer: nobody@example.org\n' }));
    expect(report.festivals[0]).toMatchObject({ reason: "nobody@example.org is not an organizer's account" });
  });

  test('a faulty file names file, line and field of each fault, and changes nothing', async () => {
    const before = await selectRows(fest.services.mysql, 'SELECT COUNT(*) AS n FROM festivals');
    await expect(seed(oneSale('faulty', { price: -1, capacity: 0 }))).rejects.toMatchObject({
      name: 'SeedFileError',
      message: expect.stringMatching(
        /^demo\.yaml:8:\d+ festivals\[0\]\.sales\[0\]\.price must be >= 0\ndemo\.yaml:8:\d+ festivals\[0\]\.sales\[0\]\.capacity must be >= 1$/,
      ),
    });
    expect(await selectRows(fest.services.mysql, 'SELECT COUNT(*) AS n FROM festivals')).toEqual(before);
  });
});
