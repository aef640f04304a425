/** How what an audit finds is mended: the words and the command lines, in one place. Each command can be pasted as it is. */
import { describeBeyondEnd } from '../features/archive/beyond-end.ts';
import type { Remedy } from './finding.ts';
import { quoted, type Tools } from './tools.ts';

/** A log for a command line. */
export interface LogFolder {
  readonly directory: string;
  /** A server has it open. */
  readonly inUse: boolean;
}

/** The stock in Redis is an index: it is thrown away and built anew from what is sold. */
export function rebuildSale({ fest }: Tools, saleId: number): Remedy {
  const command = `${fest} sale rebuild ${saleId}`;
  return { command, remedy: `Have the sale built anew from the order logs and MySQL: ${command}` };
}

/** MySQL is a copy: its rows are put right from the log. */
export function replayLogs({ fest }: Tools, logs: readonly LogFolder[]): Remedy {
  const remedy = 'Put the rows right from the order log';
  if (logs.length === 0) {
    return { remedy: `${remedy}: ${fest} log replay --dir <folder of the log> --repair` };
  }
  const folders = logs.map(({ directory }) => `--dir ${quoted(directory)}`).join(' ');
  // A log that a server has open is replayed as far as it is applied: the rest is that server's business.
  const live = logs.some(({ inUse }) => inUse) ? ' --live' : '';
  const command = `${fest} log replay ${folders} --repair${live}`;
  return { command, remedy: `${remedy}: ${command}` };
}

const inMysql = ({ mysql }: Tools, sql: string): string => `${mysql} -e "${sql}"`;

export interface RevivedOrder {
  readonly orderId: string;
  /** Whether the gateway still has its money; undefined: it was not asked. */
  readonly isPaid: boolean | undefined;
  /** MySQL remembers that it was given back. */
  readonly hasTombstone: boolean;
}

/** A replay does not revive what MySQL holds for cancelled: its money may have gone back, its tickets be sold again. */
export function reviveOrder(tools: Tools, order: RevivedOrder, logs: readonly LogFolder[]): Remedy {
  const { orderId, isPaid, hasTombstone } = order;
  const forget = hasTombstone ? `DELETE FROM cancelled_orders WHERE order_id = '${orderId}'; ` : '';
  const sql = `${forget}UPDATE orders SET status = 'paid', cancelled_at_ms = NULL WHERE order_id = '${orderId}'`;
  const money =
    isPaid === undefined
      ? 'Look the payment up at the gateway. If its money is still there'
      : isPaid
        ? 'The gateway still has its money, so it was not given back: if its tickets are not sold again'
        : 'The gateway has given its money back; whoever did that has to say why. If the order is to live';
  const replay = replayLogs(tools, logs).command ?? `${tools.fest} log replay --dir <folder of the log> --repair`;
  const command = `${inMysql(tools, sql)} && ${replay}`;
  return { command, remedy: `${money}, set the row back in MySQL and its tickets from the log: ${command}` };
}

export function forgetTombstone(tools: Tools, orderId: string): Remedy {
  const command = inMysql(tools, `DELETE FROM cancelled_orders WHERE order_id = '${orderId}'`);
  return {
    command,
    remedy: `Look the payment up at the gateway. If its money is still there, let MySQL forget it: ${command}`,
  };
}

export function retryFailed({ fest }: Tools): Remedy {
  const command = `${fest} log failed --retry`;
  return { command, remedy: `Read the error, mend its cause, and apply them again: ${command}` };
}

export function restoreSegment({ fest }: Tools, directory: string): Remedy {
  const command = `${fest} log verify --dir ${quoted(directory)}`;
  return {
    command,
    remedy:
      'Keep a copy of the whole folder, restore the damaged segment from a backup or snapshot, and start the server ' +
      `again. This shows what is readable: ${command}`,
  };
}

/** The same words as those of `fest log verify`. */
export function olderCopy({ fest }: Tools, directory: string, applied: number, lastLsn: number): Remedy {
  const command = `${fest} log verify --dir ${quoted(directory)}`;
  return { command, remedy: `${describeBeyondEnd(applied, lastLsn).fix} See its segments: ${command}` };
}

export function restoreTrimmed(tools: Tools, log: LogFolder): Remedy {
  const { command = '', ...rest } = replayLogs(tools, [log]);
  return {
    ...rest,
    command,
    remedy: `Copy the archived segments back into ${log.directory} (its server stopped), then: ${command}`,
  };
}

/** Two orders with one ticket: somebody has to choose. */
export function refundTheLater({ fest }: Tools, saleId: number): Remedy {
  const command = `${fest} sale pause ${saleId}`;
  return {
    command,
    remedy: `Refund the later of the two orders and cancel it, then look again. Pause the sale before: ${command}`,
  };
}

/** Records that contradict each other were written by a fault: what happened has to be looked at. */
export function compareRecords({ fest }: Tools, logs: readonly LogFolder[]): Remedy {
  const folders = logs.map(({ directory }) => ` --dir ${quoted(directory)}`).join('');
  return {
    remedy:
      `See both records (${fest} log show${folders} --payment <id>) and what the gateway says of the payment; what its ` +
      'buyer has too much is refunded and cancelled.',
  };
}

export const BEYOND_CAPACITY: Remedy = {
  remedy:
    'More was sold than there is: raise the capacity of the sale (PATCH /sales/{id}, as its organizer), or refund and ' +
    'cancel the orders above it.',
};

export const BEYOND_LIMIT: Remedy = {
  remedy: 'Refund and cancel the latest of the orders of this buyer, or let them be.',
};

/** The capacity cannot go below a number that was given out. */
export function raiseCapacity(saleId: number, leastCapacity: number): Remedy {
  return {
    remedy:
      `Tickets up to number ${leastCapacity} were given out, so Redis cannot go lower: raise the capacity to at least ` +
      `${leastCapacity} (PATCH /sales/${saleId} with {"capacity": ${leastCapacity}}, as its organizer); the servers then ` +
      'put Redis right by themselves.',
  };
}

/** Servers put it right by themselves within seconds; where none does, a rebuild takes the settings from MySQL. */
export function takeSettings(tools: Tools, saleId: number): Remedy {
  const { command = '' } = rebuildSale(tools, saleId);
  return {
    command,
    remedy: `A server that runs and reaches both puts this right within seconds. When it stays, have the sale built anew: ${command}`,
  };
}

export function deleteRedisKey({ redisCli }: Tools, key: string): Remedy {
  const command = `${redisCli} DEL ${quoted(key)}`;
  return {
    command,
    remedy:
      'Look the payment up at the gateway: money that was taken has to go back. Restore the log from a copy if one of its ' +
      `segments is missing; else forget the promise: ${command}`,
  };
}

export function letMysqlAnswer({ redisCli }: Tools, key: string): Remedy {
  const command = `${redisCli} DEL ${quoted(key)}`;
  return { command, remedy: `Let MySQL answer for the payment: ${command}` };
}

export function lookAtLine(file: string, line: number): Remedy {
  const command = `sed -n ${line}p ${quoted(file)}`;
  return {
    command,
    remedy: `Correct the line by what the gateway itself says, and audit again. This shows it: ${command}`,
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
  remedy: 'Give the money back at the gateway: its buyer was promised a refund.',
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

export const RESTORE_SALE_ROW: Remedy = { remedy: 'Restore the row of table sales from a backup of MySQL.' };
