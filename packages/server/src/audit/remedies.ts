/** How what an audit finds is mended: the words and the command lines, in one place. */
import type { Remedy } from './finding.ts';

const quoted = (path: string): string => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** The stock in Redis is an index: it is thrown away and built anew from what is sold. */
export function rebuildSale(saleId: number): Remedy {
  const command = `fest sale rebuild ${saleId}`;
  return { command, remedy: `Have the sale built anew from the order logs and MySQL: ${command}` };
}

/** MySQL is a copy: its rows are put right from the log. */
export function replayLogs(logs: readonly { readonly directory: string; readonly inUse: boolean }[]): Remedy {
  const remedy = 'Put the rows right from the order log';
  if (logs.length === 0) return { remedy: `${remedy}: fest log replay --repair, with the folder of the log.` };
  const folders = logs.map(({ directory }) => `--dir ${quoted(directory)}`).join(' ');
  // A log that a server has open is replayed as far as it is applied: the rest is that server's business.
  const live = logs.some(({ inUse }) => inUse) ? ' --live' : '';
  const command = `fest log replay ${folders} --repair${live}`;
  return { command, remedy: `${remedy}: ${command}` };
}

/** Of a payment's row a replay writes only how it stands; who pays how much is written when the row is made. */
export function writeAnew(paymentId: string, replay: Remedy): Remedy {
  const command = `DELETE FROM payments WHERE payment_id = '${paymentId}'`;
  return {
    command,
    remedy: `Have the row written anew: in MySQL ${command}, then ${replay.command ?? 'fest log replay'}`,
  };
}

/** A replay does not revive what MySQL holds for cancelled: its money may have gone back, its tickets be sold again. */
export function reviveOrder(orderId: string, isPaid: boolean | undefined): Remedy {
  const command = `UPDATE orders SET status = 'paid', cancelled_at_ms = NULL WHERE order_id = '${orderId}'`;
  const money =
    isPaid === undefined
      ? 'Look the payment up at the gateway. If its money is still there'
      : isPaid
        ? 'The gateway still has its money, so it was not given back: if its tickets are not sold again'
        : 'The gateway has given its money back; whoever did that has to say why. If the order is to live';
  return { command, remedy: `${money}, set the row back in MySQL (${command}), then fest log replay --repair.` };
}

export function forgetTombstone(orderId: string): Remedy {
  const command = `DELETE FROM cancelled_orders WHERE order_id = '${orderId}'`;
  return { command, remedy: `Look the payment up at the gateway. If its money is still there, in MySQL: ${command}` };
}

export function retryFailed(): Remedy {
  const command = 'fest log failed --retry';
  return { command, remedy: `Read the error, mend its cause, and apply them again: ${command}` };
}

export function restoreSegment(directory: string): Remedy {
  const command = `fest log verify --dir ${quoted(directory)}`;
  return {
    command,
    remedy:
      `See what is readable: ${command}. Keep a copy of the whole folder, restore the damaged segment from a backup or ` +
      'snapshot, and start the server again.',
  };
}

/** Two orders with one ticket: somebody has to choose. */
export const REFUND_THE_LATER: Remedy = {
  remedy: 'Pause the sale (fest sale pause), refund the later of the two orders and cancel it, then look again.',
};

export function deleteRedisKey(key: string): Remedy {
  const command = `redis-cli DEL ${quoted(key)}`;
  return {
    command,
    remedy:
      'Look the payment up at the gateway: money that was taken has to go back. Restore the log from a copy if one of its ' +
      `segments is missing; else forget the promise: ${command}`,
  };
}

export const GIVE_MONEY_BACK: Remedy = {
  remedy:
    'Start the server whose order log knows the payment, or replay its log. If no log knows it, give the money back at the ' +
    'gateway.',
};

export const CANCEL_THE_ORDER: Remedy = {
  remedy:
    'Ask who gave the money back at the gateway. Either the order is cancelled (its buyer: POST /orders/{id}/cancel; the ' +
    'refund is then found done), or the amount is charged again.',
};

export const REFUND_BY_HAND: Remedy = {
  remedy: 'Give the money back at the gateway: the order is cancelled and its buyer was promised a refund.',
};

export const ASK_THE_GATEWAY: Remedy = {
  remedy:
    'Compare both with the statement of the gateway itself; the difference is to be charged or given back by hand.',
};

export const UNKNOWN_ROW: Remedy = {
  remedy:
    'If there is another order log (of a server that is gone), name its folder with --dir. Else somebody wrote the row ' +
    'by hand: look the payment up at the gateway, then delete it or give the money back.',
};
