import { describe, expect, it } from 'vitest';
import type { EpochStarted, OrderCancelled, OrderLogRecord, OrderPaid, TicketsReleased } from './records.ts';
import {
  framesOf,
  handmadeSegment,
  LOG_DIRECTORY,
  openWriter,
  paidOrder,
  paymentIntent,
  readAll,
  SimulatedDisk,
} from './test-support.ts';
import type { LogWriter } from './writer.ts';

const SALE = paidOrder(1).saleId;

function epochStarted(epoch: number, saleId = SALE): EpochStarted {
  return {
    type: 'epochStarted',
    saleId,
    epoch,
    at: 1,
    queueHighWater: (epoch - 1) * 10_000_000,
    reason: 'stateMissing',
  };
}

function ofEpoch(epoch: number, order: OrderPaid): OrderPaid {
  return { ...order, epoch };
}

function freeing<Type extends 'orderCancelled' | 'ticketsReleased'>(type: Type, n: number, ticketNumbers: number[]) {
  return { type, saleId: SALE, epoch: 1, at: 1, orderId: `order-${n}`, ticketNumbers } satisfies
    | OrderCancelled
    | TicketsReleased;
}

function commit(writer: LogWriter, ...records: OrderLogRecord[]) {
  return writer.commit([framesOf(...records)]);
}

const staleEpoch = { reason: 'staleEpoch', sameOrder: false };

describe('the epoch gate', () => {
  it('refuses orders of earlier epochs once an epoch has started, in the same batch already', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const records = [paidOrder(1), epochStarted(3), paidOrder(2), ofEpoch(2, paidOrder(4)), ofEpoch(3, paidOrder(5))];
    const { refusals, durableLsn } = commit(writer, ...records);
    expect(refusals).toMatchObject([
      { index: 2, ...staleEpoch },
      { index: 3, ...staleEpoch },
    ]);
    expect(durableLsn).toBe(3);
    expect(await readAll(disk)).toEqual([paidOrder(1), epochStarted(3), ofEpoch(3, paidOrder(5))]);
  });

  it('refuses intents of earlier epochs as well: their payments could be charged after everybody has counted', async () => {
    const writer = await openWriter(new SimulatedDisk());
    const intent = (n: number, epoch: number) => ({ ...paymentIntent(n), epoch });
    const { refusals, durableLsn } = commit(writer, intent(1, 1), epochStarted(2), intent(2, 1), intent(3, 2));
    expect(refusals).toMatchObject([{ index: 2, ...staleEpoch }]);
    expect(durableLsn).toBe(3);
  });

  it('goes on refusing after a restart, clean or not', async () => {
    for (const clean of [true, false]) {
      const disk = new SimulatedDisk();
      const writer = await openWriter(disk);
      commit(writer, paidOrder(1), epochStarted(2));
      if (clean) writer.close();
      const reopened = await openWriter(disk);
      const { refusals } = commit(reopened, paidOrder(2), ofEpoch(2, paidOrder(3)), ofEpoch(9, paidOrder(4)));
      expect(refusals).toMatchObject([{ index: 0, ...staleEpoch }]);
    }
  });

  it('says that the very same order is already there, unless it has other tickets', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const same = { reason: 'staleEpoch', sameOrder: true };
    const repeated = [paidOrder(1, [4, 5]), paidOrder(1, [5, 4]), paidOrder(1, [5]), paidOrder(1, [5, 6])];
    expect(commit(writer, paidOrder(1, [4, 5]), epochStarted(2), ...repeated).refusals).toMatchObject([
      { index: 2, ...same },
      { index: 3, ...same },
      { index: 4, ...same },
      { index: 5, ...staleEpoch },
    ]);
    writer.close();
    expect(commit(await openWriter(disk), ...repeated).refusals).toMatchObject([same, same, same, staleEpoch]);
  });

  it('never goes back, and keeps sales apart', async () => {
    const writer = await openWriter(new SimulatedDisk());
    const other = { ...paidOrder(3), saleId: SALE + 1 };
    const { refusals } = commit(
      writer,
      epochStarted(5),
      epochStarted(4),
      ofEpoch(4, paidOrder(1)),
      ofEpoch(5, paidOrder(2)),
      other,
      epochStarted(2, SALE + 1),
      { ...other, orderId: 'late', ticketNumbers: [9] },
    );
    expect(refusals).toMatchObject([
      { index: 2, ...staleEpoch },
      { index: 6, ...staleEpoch },
    ]);
  });

  it('concerns orders only: what ends a payment of an earlier epoch is still written', async () => {
    const writer = await openWriter(new SimulatedDisk());
    const { refusals } = commit(writer, paidOrder(1), epochStarted(2), freeing('orderCancelled', 1, [1]), {
      type: 'refundStarted',
      saleId: SALE,
      epoch: 1,
      at: 1,
      paymentId: 'payment-2',
      holdId: 'hold-2',
      accountId: 2,
      amount: 1,
      currency: 'EUR',
      reason: 'lost',
    });
    expect(refusals).toEqual([]);
  });

  it('takes the tickets of an order that is in the log in spite of its epoch, which is no conflict', async () => {
    const disk = new SimulatedDisk();
    disk.restore(`${LOG_DIRECTORY}/00000001.seg`, handmadeSegment(epochStarted(2), paidOrder(1)));
    const writer = await openWriter(disk);
    expect(writer.recovery).toMatchObject({ records: 2, conflicts: 0 });
    expect(commit(writer, ofEpoch(2, paidOrder(2, [1]))).refusals).toMatchObject([{ reason: 'ticketAlreadySold' }]);
  });

  it('refuses an epoch or an order without a sale or an epoch as malformed', async () => {
    const writer = await openWriter(new SimulatedDisk());
    const broken = { ...epochStarted(2), saleId: 'seven' } as unknown as OrderLogRecord;
    expect(commit(writer, broken).refusals).toMatchObject([{ reason: 'malformed' }]);
  });
});

describe.each(['orderCancelled', 'ticketsReleased'] as const)('%s', (type) => {
  it('frees the tickets that are still of this order, over a restart too', async () => {
    const disk = new SimulatedDisk();
    const writer = await openWriter(disk);
    const taken = { reason: 'ticketAlreadySold', sameOrder: false };
    commit(writer, paidOrder(1, [1, 2, 3]), freeing(type, 1, [1, 2]), freeing(type, 9, [3]));
    expect(commit(writer, paidOrder(2, [1]), paidOrder(3, [3])).refusals).toMatchObject([{ index: 1, ...taken }]);
    writer.close();
    const reopened = await openWriter(disk);
    expect(reopened.recovery.conflicts).toBe(0);
    // Once more, late: ticket 1 has a new owner since.
    commit(reopened, freeing(type, 1, [1, 2]));
    expect(commit(reopened, paidOrder(4, [1]), paidOrder(5, [2])).refusals).toMatchObject([{ index: 0, ...taken }]);
  });
});
