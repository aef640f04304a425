import { describe, expect, test } from 'vitest';
import { newId } from '../../platform/ids.ts';
import { createTicketCodes } from './ticket-code.ts';

const codes = createTicketCodes(Buffer.alloc(32, 7));
const ticket = { saleId: 4_294_967_295, ticketNumber: 1_000_000, orderId: newId('order', 4_294_967_295, Date.now()) };

describe('ticket codes', () => {
  test('a code gives back the ticket it was signed for', () => {
    const code = codes.sign(ticket);
    expect(code).toMatch(/^[A-Za-z0-9_-]{114}$/);
    expect(codes.verify(code)).toEqual(ticket);
  });

  test('the same ticket always gets the same code', () => {
    expect(codes.sign(ticket)).toBe(codes.sign(ticket));
  });

  test('a code with any one character changed is refused', () => {
    const code = codes.sign(ticket);
    for (let index = 0; index < code.length; index += 1) {
      const changed = `${code.slice(0, index)}${code[index] === 'A' ? 'B' : 'A'}${code.slice(index + 1)}`;
      expect(codes.verify(changed), `character ${index}`).toBeUndefined();
    }
  });

  test('a code of another office is refused', () => {
    expect(createTicketCodes(Buffer.alloc(32, 8)).verify(codes.sign(ticket))).toBeUndefined();
  });

  test.each(['', 'x', 'A'.repeat(114), `${'A'.repeat(113)}!`, 'A'.repeat(300), 'é'.repeat(114)])(
    'what is no code at all is refused: %s',
    (text) => {
      expect(codes.verify(text)).toBeUndefined();
    },
  );

  test('an order of another sale is not signed', () => {
    expect(() => codes.sign({ ...ticket, saleId: 5 })).toThrow('not an order of sale 5');
  });
});
