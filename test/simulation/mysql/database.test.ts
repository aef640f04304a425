/** What the simulated MySQL promises where two sessions meet; its statements are held against a real one elsewhere. */
import { beforeEach, describe, expect, it } from 'vitest';
import { insertSale } from '../world/sale.ts';
import { Database, type Outcome, Session } from './database.ts';

const SALE = {
  capacity: 5,
  price: 100,
  limitPerBuyer: 2,
  rejoin: 'keep',
  holdSeconds: 5,
  admissionSeconds: 5,
  perSecond: 5,
  maxActive: 5,
} as const;

function rowsOf(outcome: Outcome): readonly unknown[] {
  return outcome === 'blocked' ? ['blocked'] : outcome.rows;
}

describe('the simulated MySQL', () => {
  let database: Database;
  let nowMs: number;
  let a: Session;
  let b: Session;

  beforeEach(async () => {
    nowMs = 1_700_000_000_000;
    database = await Database.create({ nowMs: () => nowMs });
    insertSale(database, SALE);
    a = new Session();
    b = new Session();
  });

  const epoch = (session: Session) => rowsOf(database.execute(session, 'SELECT epoch FROM sales WHERE id = ?', [1]));
  const raise = (session: Session) => database.execute(session, 'UPDATE sales SET epoch = epoch + 1 WHERE id = ?', [1]);

  it('goes by the clock it was given', () => {
    const asked = () => rowsOf(database.execute(a, 'SELECT UNIX_TIMESTAMP() AS now FROM sales', []));
    expect(asked()).toEqual([{ now: 1_700_000_000 }]);
    nowMs += 1_999;
    expect(asked()).toEqual([{ now: 1_700_000_001 }]);
  });

  it('shows a transaction to itself only until it commits', () => {
    database.begin(a);
    raise(a);
    expect(epoch(a)).toEqual([{ epoch: 2 }]);
    expect(epoch(b)).toEqual([{ epoch: 1 }]);
    database.commit(a);
    expect(epoch(b)).toEqual([{ epoch: 2 }]);
  });

  it('lets a writer wait for the one before, and forgets what is rolled back or whose connection is lost', () => {
    database.begin(a);
    raise(a);
    expect(raise(b)).toBe('blocked');
    database.close(a);
    expect(epoch(b)).toEqual([{ epoch: 1 }]);
    expect(raise(b)).not.toBe('blocked');
  });

  it('keeps unique keys, and takes nothing of a statement that breaks one', () => {
    const order = (id: string, seq: number) => [id, `p${id}`, 1, 1, 7, seq, 1, 100, 'EUR', 'paid', 5];
    const sql = `INSERT INTO orders (order_id, payment_id, sale_id, festival_id, account_id, confirm_seq, quantity, amount,
      currency, status, paid_at_ms) VALUES ?`;
    database.execute(a, sql, [[order('o1', 1)]]);
    expect(() => database.execute(a, sql, [[order('o2', 2), order('o3', 1)]])).toThrow(
      expect.objectContaining({ code: 'ER_DUP_ENTRY' }),
    );
    expect(database.rows('orders').map((row) => row.order_id)).toEqual(['o1']);
  });

  it('gives a named lock to one session until it lets go or is gone', () => {
    const lock = (session: Session) => database.execute(session, 'SELECT GET_LOCK(?, 0) AS locked', ['x']);
    expect(rowsOf(lock(a))).toEqual([{ locked: 1 }]);
    expect(lock(b)).toBe('blocked');
    database.close(a);
    expect(rowsOf(lock(b))).toEqual([{ locked: 1 }]);
  });

  it('refuses a statement it does not know instead of guessing', () => {
    expect(() => database.execute(a, 'SELECT epoch FROM sales FORCE INDEX (PRIMARY)', [])).toThrow(/belongs where/);
    expect(() => database.execute(a, 'SELECT SOUNDEX(name) FROM sales', [])).toThrow(/not simulated/);
  });
});
