/** A hold that is paid, and tickets that are given back. */
import { defineScript, type ScriptReply, unexpectedReply } from '../define-script.ts';
import { asNumber, asNumbers, lostOr } from './replies.ts';

export type BegunPayment =
  | {
      readonly status: 'started';
      readonly paymentId: string;
      readonly amount: number;
      readonly ticketNumbers: readonly number[];
    }
  | { readonly status: 'repeated'; readonly paymentId: string }
  | { readonly status: 'notFound' | 'holdExpired' | 'keyReused' };

function decodeBegunPayment(reply: ScriptReply): BegunPayment | undefined {
  const status = reply[0];
  switch (status) {
    case 'started':
      return {
        status,
        amount: asNumber(reply[2]),
        ticketNumbers: asNumbers(reply[3]),
        paymentId: String(reply[4]),
      };
    case 'repeated':
      return { status, paymentId: String(reply[4]) };
    case 'notFound':
    case 'holdExpired':
    case 'keyReused':
      return { status };
    default:
      return undefined;
  }
}

export const beginPaymentScript = defineScript({
  name: 'begin-payment',
  keys: ['sale', 'hold', 'payment', 'expiry', 'paying', 'request'],
  args: [
    'epoch',
    'nowMs',
    'account',
    'holdId',
    'paymentId',
    'method',
    'logId',
    'requestFingerprint',
    'requestTtlSeconds',
  ],
  decode: (reply) => lostOr('begin-payment', reply, () => decodeBegunPayment(reply)),
});

export type ConfirmedPayment =
  | {
      readonly status: 'confirmed';
      readonly confirmSeq: number;
      readonly capacity: number;
      readonly ticketNumbers: readonly number[];
    }
  | { readonly status: 'gone' }
  | { readonly status: 'amountDiffers'; readonly amount: number };

function decodeConfirmedPayment(reply: ScriptReply): ConfirmedPayment | undefined {
  const status = reply[0];
  switch (status) {
    case 'confirmed':
      return {
        status,
        confirmSeq: asNumber(reply[2]),
        capacity: asNumber(reply[3]),
        ticketNumbers: asNumbers(reply[4]),
      };
    case 'gone':
      return { status };
    case 'amountDiffers':
      return { status, amount: asNumber(reply[1]) };
    default:
      return undefined;
  }
}

export const confirmPaymentScript = defineScript({
  name: 'confirm-payment',
  keys: ['sale', 'hold', 'buyers', 'bought', 'paying', 'released', 'expiry'],
  args: ['epoch', 'account', 'holdId', 'paymentId', 'amount', 'quantity'],
  decode: (reply) => lostOr('confirm-payment', reply, () => decodeConfirmedPayment(reply)),
});

export const failPaymentScript = defineScript({
  name: 'fail-payment',
  keys: ['sale', 'hold', 'payment', 'expiry', 'paying', 'request'],
  args: ['epoch', 'nowMs', 'holdId', 'paymentId', 'failureCode', 'graceMs', 'finishedTtlSeconds'],
  decode: (reply) =>
    lostOr('fail-payment', reply, () =>
      reply[0] === 'failed' || reply[0] === 'gone' ? { status: reply[0] as 'failed' | 'gone' } : undefined,
    ),
});

export const completePaymentScript = defineScript({
  name: 'complete-payment',
  keys: ['sale', 'payment', 'hold'],
  args: ['epoch', 'account', 'holdId', 'status', 'orderId', 'failureCode', 'finishedTtlSeconds'],
  decode: (reply) => (reply[0] === 'completed' ? undefined : unexpectedReply('complete-payment', reply)),
});

export const forgetOutcomeScript = defineScript({
  name: 'forget-outcome',
  keys: ['payment'],
  args: [],
  decode(reply): { readonly status: 'forgotten' | 'final' } {
    const [status] = reply;
    return status === 'forgotten' || status === 'final' ? { status } : unexpectedReply('forget-outcome', reply);
  },
});

export const returnTicketsScript = defineScript({
  name: 'return-tickets',
  keys: ['sale', 'released', 'bought', 'returned', 'voided'],
  args: ['epoch', 'account', 'orderId', 'tickets'],
  decode: (reply) =>
    lostOr('return-tickets', reply, () =>
      reply[0] === 'returned' || reply[0] === 'repeated' ? { status: reply[0] as 'returned' | 'repeated' } : undefined,
    ),
});
