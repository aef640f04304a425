/** The JSON of the list of a sale's orders, for whoever runs the sale. No I/O. */
import { type Static, Type } from 'typebox';
import { ORDER_STATUSES } from './words.ts';

const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });

export const SaleOrder = Type.Object({
  number: Type.Integer({
    minimum: 1,
    description:
      'orders of a sale are numbered 1, 2, 3 … as they are confirmed; a number that is left out has no order yet',
  }),
  orderId: Type.String(),
  paymentId: Type.String(),
  saleId: Type.Integer(),
  festivalId: Type.Integer(),
  accountId: Type.Integer(),
  name: Type.String({ description: 'of the account' }),
  email: Type.String({ description: 'of the account; empty once it was deleted' }),
  ticketNumbers: Type.Array(Type.Integer(), { description: 'those that were bought; void unless `status` is `paid`' }),
  amount: Type.Integer({ minimum: 0, description: 'minor units of `currency`' }),
  currency: Type.String(),
  status: Type.Unsafe<(typeof ORDER_STATUSES)[number]>({ type: 'string', enum: [...ORDER_STATUSES] }),
  paidAt: Time,
  cancelledAt: Type.Union([Time, Type.Null()]),
});
export type SaleOrder = Static<typeof SaleOrder>;

export const SaleOrderPage = Type.Object({
  items: Type.Array(SaleOrder),
  nextCursor: Type.Union([Type.String(), Type.Null()], {
    description: 'pass as `cursor` for the next page; null: last',
  }),
  lastNumber: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description:
      'number of the last order that was confirmed before this page was read: what is missing up to it is not archived yet. Null: not known now',
  }),
});
export type SaleOrderPage = Static<typeof SaleOrderPage>;
