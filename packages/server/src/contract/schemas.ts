/**
 * The JSON of the API: one schema each, the TypeScript type derived from it. No I/O.
 * The same objects validate requests, serialize answers and make the OpenAPI document.
 */
import { type Static, Type } from 'typebox';
import { LIMITS } from '../limits.ts';
import {
  ADMISSION_MODES,
  HOLD_STATUSES,
  ORDER_STATUSES,
  PAYMENT_METHODS,
  PAYMENT_STATUSES,
  PHASES,
  REJOIN_RULES,
  ROLES,
} from './words.ts';

const closed = { additionalProperties: false } as const;

function words<const Words extends readonly string[]>(values: Words, description?: string) {
  return Type.Unsafe<Words[number]>({
    type: 'string',
    enum: [...values],
    ...(description === undefined ? {} : { description }),
  });
}

const Time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
const Id = Type.Integer({ minimum: 1, maximum: LIMITS.saleId });
const AccountId = Type.Integer({ minimum: 1, maximum: LIMITS.accountId });
const OpaqueId = Type.String({ minLength: 1, maxLength: LIMITS.pathParameterCharacters });
const Money = Type.Integer({ minimum: 0, description: 'minor units of `currency`' });
const Currency = Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });
const Cursor = Type.Union([Type.String(), Type.Null()], {
  description: 'pass as `cursor` for the next page; null: last',
});
const PollAfterMs = Type.Integer({ minimum: 0, description: 'ask again after this many milliseconds' });
/** No control characters: titles and names are printed on terminals and tickets. */
const text = (maxLength: number, minLength = 1) =>
  Type.String({ minLength, maxLength, pattern: '^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$' });

// --- parameters ------------------------------------------------------------------------------------------------------
/** Path parameters arrive as text; ids are 1 … 2^32−1 without leading zeros. */
const idText = Type.String({ pattern: '^[1-9][0-9]{0,9}$' });
export const FestivalParameters = Type.Object({ festivalId: idText });
export const SaleParameters = Type.Object({ saleId: idText });
export type SaleParameters = Static<typeof SaleParameters>;
export const HoldParameters = Type.Object({ holdId: OpaqueId });
export const PaymentParameters = Type.Object({ paymentId: OpaqueId });
export const OrderParameters = Type.Object({ orderId: OpaqueId });
export const PageQuery = Type.Object(
  {
    limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]?|100)$', description: '1 … 100, default 20' })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: '`nextCursor` of the page before' }),
    ),
  },
  closed,
);
export type PageQuery = Static<typeof PageQuery>;
/** For routes without query parameters. */
export const NoQuery = Type.Object({}, closed);

// --- accounts and sessions -------------------------------------------------------------------------------------------
const Email = Type.String({ format: 'email', maxLength: LIMITS.emailCharacters });
export const AccountInput = Type.Object(
  {
    email: Email,
    password: Type.String({ minLength: LIMITS.passwordCharactersMin, maxLength: LIMITS.passwordCharactersMax }),
    name: text(LIMITS.nameCharacters),
  },
  closed,
);
export type AccountInput = Static<typeof AccountInput>;
export const Account = Type.Object({ id: AccountId, email: Type.String(), name: Type.String() });
export type Account = Static<typeof Account>;
export const SessionInput = Type.Object(
  {
    email: Type.String({ minLength: 1, maxLength: LIMITS.emailCharacters }),
    password: Type.String({ minLength: 1, maxLength: LIMITS.passwordCharactersMax }),
  },
  closed,
);
export type SessionInput = Static<typeof SessionInput>;
export const RefreshInput = Type.Object({ refreshToken: Type.String({ minLength: 1, maxLength: 200 }) }, closed);
export const Session = Type.Object({
  accessToken: Type.String(),
  expiresIn: Type.Integer({ description: 'seconds until the access token expires' }),
  refreshToken: Type.String({ description: 'good for one refresh' }),
});
export type Session = Static<typeof Session>;
export const Me = Type.Object({
  id: AccountId,
  email: Type.String(),
  name: Type.String(),
  roles: Type.Array(words(ROLES)),
});
export type Me = Static<typeof Me>;

// --- festivals and sales ---------------------------------------------------------------------------------------------
export const FestivalInput = Type.Object(
  {
    title: text(LIMITS.titleCharacters),
    description: text(LIMITS.descriptionCharacters, 0),
    venue: text(LIMITS.venueCharacters),
    startsAt: Time,
    endsAt: Time,
  },
  closed,
);
export type FestivalInput = Static<typeof FestivalInput>;
export const FestivalPatch = Type.Partial(FestivalInput, { additionalProperties: false, minProperties: 1 });
export type FestivalPatch = Static<typeof FestivalPatch>;

export const SaleInput = Type.Object(
  {
    name: text(LIMITS.titleCharacters),
    price: Type.Integer({ minimum: 0, maximum: LIMITS.priceMinorUnits, description: 'minor units per ticket' }),
    currency: Currency,
    capacity: Type.Integer({ minimum: 1, maximum: LIMITS.capacityTickets }),
    limitPerBuyer: Type.Integer({ minimum: 1, maximum: LIMITS.ticketsPerBuyer }),
    opensAt: Time,
    closesAt: Time,
    refundUntil: Time,
    rejoin: Type.Optional(words(REJOIN_RULES, 'what a second join does while waiting; default keep')),
    holdSeconds: Type.Optional(Type.Integer({ minimum: LIMITS.holdSecondsMin, maximum: LIMITS.holdSecondsMax })),
    admissionSeconds: Type.Optional(
      Type.Integer({
        minimum: LIMITS.admissionSecondsMin,
        maximum: LIMITS.admissionSecondsMax,
        description: 'how long an admitted buyer may take to make a hold; default 120',
      }),
    ),
  },
  closed,
);
export type SaleInput = Static<typeof SaleInput>;
export const SalePatch = Type.Partial(SaleInput, { additionalProperties: false, minProperties: 1 });
export type SalePatch = Static<typeof SalePatch>;

export const Stock = Type.Object({
  available: Type.Integer({ minimum: 0 }),
  held: Type.Integer({ minimum: 0 }),
  sold: Type.Integer({ minimum: 0 }),
});
export type Stock = Static<typeof Stock>;
export const Sale = Type.Object({
  id: Id,
  festivalId: Id,
  name: Type.String(),
  price: Money,
  currency: Type.String(),
  capacity: Type.Integer(),
  limitPerBuyer: Type.Integer(),
  opensAt: Time,
  closesAt: Time,
  refundUntil: Time,
  rejoin: words(REJOIN_RULES),
  holdSeconds: Type.Integer(),
  admissionSeconds: Type.Integer(),
  phase: words(PHASES),
  stock: Stock,
});
export type Sale = Static<typeof Sale>;
const festivalFields = {
  id: Id,
  title: Type.String(),
  description: Type.String(),
  venue: Type.String(),
  startsAt: Time,
  endsAt: Time,
} as const;
export const Festival = Type.Object(festivalFields);
export type Festival = Static<typeof Festival>;
export const FestivalWithSales = Type.Object({ ...festivalFields, sales: Type.Array(Sale) });
export type FestivalWithSales = Static<typeof FestivalWithSales>;
export const FestivalPage = Type.Object({ items: Type.Array(Festival), nextCursor: Cursor });
export type FestivalPage = Static<typeof FestivalPage>;

// --- operations ------------------------------------------------------------------------------------------------------
export const AdmissionInput = Type.Object(
  {
    perSecond: Type.Optional(Type.Integer({ minimum: 0, maximum: LIMITS.perSecondMax })),
    maxActive: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.maxActiveMax })),
    mode: words(
      ADMISSION_MODES,
      '`fixed` admits `perSecond`; `auto` as fast as places, tickets and the health of the servers allow, `perSecond` at most',
    ),
  },
  closed,
);
export type AdmissionInput = Static<typeof AdmissionInput>;
export const Admission = Type.Object({
  saleId: Id,
  perSecond: Type.Integer(),
  maxActive: Type.Integer(),
  mode: words(ADMISSION_MODES),
});
export type Admission = Static<typeof Admission>;

export const SaleRebuild = Type.Object({
  saleId: Id,
  epoch: Type.Integer({ description: 'of the sale now; while it is being rebuilt, the one that ends' }),
  rebuilding: Type.Boolean(),
  reason: Type.Optional(Type.String({ description: 'why it is being rebuilt' })),
  requestedAt: Type.Optional(Time),
  waitingFor: Type.Array(Type.Object({ logId: Type.String(), server: Type.String() }), {
    description: 'order logs that have not said yet that they are through with the epoch that ends',
  }),
});
export type SaleRebuild = Static<typeof SaleRebuild>;

// --- waiting room ----------------------------------------------------------------------------------------------------
export const SaleState = Type.Object({
  saleId: Id,
  phase: words(PHASES),
  epoch: Type.Integer(),
  sequence: Type.Integer({
    description: 'grows with every change within an epoch: ignore what is older than you have',
  }),
  servingNumber: Type.Integer(),
  outflowPerSecond: Type.Number(),
  available: Type.Integer(),
  pollAfterMs: PollAfterMs,
  serverTime: Time,
});
export type SaleState = Static<typeof SaleState>;
const Eta = Type.Union([Type.Integer(), Type.Null()], {
  description:
    'seconds until your turn at the present outflow, from the opening on if that is to come; null when nothing moves',
});
const EtaMax = Type.Union([Type.Integer(), Type.Null()], {
  description: 'seconds it should not take longer than, by how the outflow varied; null when nothing moves',
});
export const QueueTicket = Type.Object({
  queueToken: Type.String({ maxLength: LIMITS.queueTokenCharacters }),
  number: Type.Integer(),
  position: Type.Integer({ description: 'people before you and you; 0 when admitted' }),
  admitted: Type.Boolean(),
  etaSeconds: Eta,
  etaSecondsMax: EtaMax,
  pollAfterMs: PollAfterMs,
});
export type QueueTicket = Static<typeof QueueTicket>;
export const QueuePosition = Type.Object({
  number: Type.Integer(),
  position: Type.Integer(),
  admitted: Type.Boolean(),
  admittedUntil: Type.Optional(Time),
  etaSeconds: Eta,
  etaSecondsMax: EtaMax,
  pollAfterMs: PollAfterMs,
  phase: words(PHASES),
});
export type QueuePosition = Static<typeof QueuePosition>;

// --- holds and payments ----------------------------------------------------------------------------------------------
export const HoldInput = Type.Object(
  { quantity: Type.Integer({ minimum: 1, maximum: LIMITS.ticketsPerBuyer }) },
  closed,
);
export type HoldInput = Static<typeof HoldInput>;
export const Hold = Type.Object({
  holdId: OpaqueId,
  saleId: Id,
  ticketNumbers: Type.Array(Type.Integer()),
  amount: Money,
  currency: Type.String(),
  expiresAt: Time,
  status: words(HOLD_STATUSES),
});
export type Hold = Static<typeof Hold>;
export const PaymentInput = Type.Object({ method: words(PAYMENT_METHODS) }, closed);
export type PaymentInput = Static<typeof PaymentInput>;
export const Payment = Type.Object({
  paymentId: OpaqueId,
  status: words(PAYMENT_STATUSES),
  orderId: Type.Optional(OpaqueId),
  failureCode: Type.Optional(Type.String()),
  pollAfterMs: Type.Optional(PollAfterMs),
});
export type Payment = Static<typeof Payment>;

// --- orders and check-in ---------------------------------------------------------------------------------------------
export const Ticket = Type.Object({
  ticketNumber: Type.Integer(),
  code: Type.String({ description: 'signed; shown as a QR code' }),
  checkedInAt: Type.Union([Time, Type.Null()]),
});
export const Order = Type.Object({
  orderId: OpaqueId,
  saleId: Id,
  festivalId: Id,
  amount: Money,
  currency: Type.String(),
  paidAt: Time,
  status: words(ORDER_STATUSES),
  tickets: Type.Array(Ticket),
});
export type Order = Static<typeof Order>;
export const OrderPage = Type.Object({ items: Type.Array(Order), nextCursor: Cursor });
export type OrderPage = Static<typeof OrderPage>;
export const CancelledOrder = Type.Object({ orderId: OpaqueId, status: words(ORDER_STATUSES) });
export const CheckInInput = Type.Object({ code: Type.String({ minLength: 1, maxLength: 300 }) }, closed);
export const CheckIn = Type.Object({
  ticketNumber: Type.Integer(),
  saleId: Id,
  name: Type.String(),
  checkedInAt: Time,
});
export type CheckIn = Static<typeof CheckIn>;
export const Attendee = Type.Object({
  saleId: Id,
  saleName: Type.String(),
  ticketNumber: Type.Integer(),
  orderId: OpaqueId,
  name: Type.String(),
  email: Type.String(),
  checkedInAt: Type.Union([Time, Type.Null()]),
});
export type Attendee = Static<typeof Attendee>;
export const AttendeePage = Type.Object({ items: Type.Array(Attendee), nextCursor: Cursor });
export type AttendeePage = Static<typeof AttendeePage>;

// --- problems --------------------------------------------------------------------------------------------------------
/** `additionalProperties` stays open: a serializer drops members that its schema does not name. */
export const ProblemBody = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String(),
    requestId: Type.Optional(
      Type.String({ description: 'as in the header X-Request-Id; not in refusals of polls and of overload' }),
    ),
    retryAfterMs: Type.Optional(Type.Integer()),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
    challenge: Type.Optional(
      Type.Object(
        {
          algorithm: words(['SHA-256']),
          text: Type.String({ description: 'opaque' }),
          puzzles: Type.Integer({ description: 'how many nonces to find, one after the other or at once' }),
          bits: Type.Integer({ description: 'zero bits that the hash of each begins with' }),
          expiresAt: Time,
        },
        { description: 'with `challenge_required`: the proof of work to come again with' },
      ),
    ),
  },
  { additionalProperties: true, $id: 'Problem' },
);
