import { describe, expect, it } from 'vitest';
import { paidOrder } from './test-support.ts';
import { TicketTables } from './ticket-tables.ts';

describe('the ticket tables of the order log', () => {
  it('takes a ticket once', () => {
    const tickets = new TicketTables();
    expect(tickets.sell(paidOrder(1, [5, 6]))).toBeUndefined();
    expect(tickets.sell(paidOrder(2, [6]))).toMatchObject({ reason: 'ticketAlreadySold', sameOrder: false });
    expect(tickets.sell(paidOrder(2, [7]))).toBeUndefined();
  });

  it('takes all tickets of an order or none', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5]));
    expect(tickets.sell(paidOrder(2, [4, 5, 6]))).toMatchObject({ reason: 'ticketAlreadySold' });
    expect(tickets.sell(paidOrder(3, [4, 6]))).toBeUndefined();
  });

  it('recognises an order that it has already taken', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5, 6]));
    expect(tickets.sell(paidOrder(1, [5, 6]))).toMatchObject({ reason: 'ticketAlreadySold', sameOrder: true });
    expect(tickets.sell(paidOrder(1, [5, 7]))).toMatchObject({ reason: 'ticketAlreadySold', sameOrder: false });
  });

  it('takes the last ticket of a sale and refuses the one behind it', () => {
    const tickets = new TicketTables();
    expect(tickets.sell({ ...paidOrder(1, [10]), capacity: 10 })).toBeUndefined();
    expect(tickets.sell({ ...paidOrder(2, [9, 11]), capacity: 10 })).toMatchObject({ reason: 'beyondCapacity' });
    expect(tickets.sell({ ...paidOrder(3, [9]), capacity: 10 })).toBeUndefined();
  });

  it('keeps sales apart', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5]));
    expect(tickets.sell({ ...paidOrder(2, [5]), saleId: 8 })).toBeUndefined();
  });

  it.each([
    ['ticket 0', { ticketNumbers: [0] }],
    ['a negative ticket', { ticketNumbers: [-1] }],
    ['a fraction of a ticket', { ticketNumbers: [1.5] }],
    ['a ticket twice', { ticketNumbers: [1, 1] }],
    ['no tickets', { ticketNumbers: [] }],
    ['a string for a ticket', { ticketNumbers: ['1'] }],
    ['no capacity', { capacity: undefined }],
    ['no order id', { orderId: undefined }],
    ['no sale', { saleId: 'x' }],
  ])('refuses an order with %s as malformed', (_what, change) => {
    const tickets = new TicketTables();
    expect(tickets.sell({ ...paidOrder(1), ...change })).toMatchObject({ reason: 'malformed' });
  });

  it('sells a cancelled ticket again, and does not let the old cancellation free it a second time', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5]));
    expect(tickets.free(paidOrder(1, [5]))).toBeUndefined();
    expect(tickets.sell(paidOrder(2, [5]))).toBeUndefined();
    expect(tickets.free(paidOrder(1, [5]))).toBeUndefined();
    expect(tickets.sell(paidOrder(3, [5]))).toMatchObject({ reason: 'ticketAlreadySold' });
  });

  it('refuses an order it has already when it comes with other tickets, also after a snapshot, until it is cancelled', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5, 6]));
    const again = { reason: 'orderExists', sameOrder: false };
    expect(tickets.sell(paidOrder(1, [7, 8]))).toMatchObject(again);
    const later = TicketTables.from(tickets.snapshot());
    expect(later.sell(paidOrder(1, [7, 8]))).toMatchObject(again);
    expect(later.sell(paidOrder(2, [7, 8]))).toBeUndefined();
    later.free(paidOrder(1, [5, 6]));
    expect(later.sell(paidOrder(1, [5, 6]))).toBeUndefined();
  });

  it('still has an order of which only some tickets were freed, after a snapshot as before', () => {
    const tickets = new TicketTables();
    tickets.sell(paidOrder(1, [5, 6]));
    tickets.free(paidOrder(1, [6, 9]));
    for (const each of [tickets, TicketTables.from(tickets.snapshot())]) {
      expect(each.sell(paidOrder(1, [7]))).toMatchObject({ reason: 'orderExists' });
      expect(each.sell(paidOrder(1, [5]))).toMatchObject({ reason: 'ticketAlreadySold', sameOrder: true });
      expect(each.free(paidOrder(1, [5]))).toBeUndefined();
      expect(each.sell(paidOrder(1, [7]))).toBeUndefined();
    }
  });

  it('counts what was freed between a snapshot and the first order behind it', () => {
    const before = new TicketTables();
    before.sell(paidOrder(1, [5, 6]));
    before.sell(paidOrder(2, [7]));
    const tickets = TicketTables.from(before.snapshot());
    tickets.free(paidOrder(1, [5]));
    tickets.free(paidOrder(2, [7]));
    expect(tickets.sell(paidOrder(1, [8]))).toMatchObject({ reason: 'orderExists' });
    expect(tickets.sell(paidOrder(2, [8]))).toBeUndefined();
    tickets.free(paidOrder(1, [6]));
    expect(tickets.sell(paidOrder(1, [9]))).toBeUndefined();
  });

  it('does not let a ticket number beyond its limit take memory', () => {
    const tickets = new TicketTables();
    const order = { ...paidOrder(1, [2 ** 40]), capacity: 2 ** 41 };
    expect(tickets.sell(order)).toMatchObject({ reason: 'beyondCapacity' });
  });
});
