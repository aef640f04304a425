/** I1: every ticket number once, and all within the capacity. */
import { TICKET_NUMBER_MAX } from '../../order-log/limits.ts';
import type { SaleEvidence } from '../evidence.ts';
import type { Findings } from '../finding.ts';
import { SEEN } from '../order-rows.ts';
import { BEYOND_CAPACITY, refundTheLater, replayLogs } from '../remedies.ts';
import { counted } from '../words.ts';
import { isLive, logsOf } from './orders.ts';

/** The largest there was while orders were read: a capacity that is raised reaches MySQL first, then Redis. */
export function capacityOf({ sale, redis, books }: SaleEvidence): number {
  const stock = redis.status === 'read' ? redis.reading.slices[0]?.stock : undefined;
  const known = [sale?.capacity, stock?.capacity].filter((value) => value !== undefined && Number.isSafeInteger(value));
  return known.length === 0 ? books.capacitySeen : Math.max(...known.map(Number));
}

export function checkTicketNumbers(evidence: SaleEvidence, found: Findings): void {
  const { books } = evidence;
  const capacity = capacityOf(evidence);
  for (let row = 0; row < books.size; row += 1) {
    if (!books.isOrder(row)) continue;
    for (const number of books.tickets(row)) {
      if (number >= 1 && number <= capacity) continue;
      const message = () => `Order ${books.orderId(row)} has ticket ${number}, and the capacity is ${capacity}.`;
      found.add('I1', message, BEYOND_CAPACITY);
    }
  }
}

/**
 * Two live orders with one number. What was read last of all is left out: a cancellation that made room for it may have been
 * written to another log, behind what was read of that one. Everything earlier has its cancellations in the last reading.
 */
export function checkDoubleSales(evidence: SaleEvidence, found: Findings): void {
  const { books } = evidence;
  const owners = new Int32Array(Math.min(highestNumber(evidence), TICKET_NUMBER_MAX) + 1).fill(-1);
  let sold = 0;
  for (let row = 0; row < books.size; row += 1) {
    if (!books.isOrder(row) || books.has(row, SEEN.late) || !isLive(evidence, row)) continue;
    for (const number of books.tickets(row)) {
      if (number >= owners.length) continue;
      const owner = owners[number] ?? -1;
      if (owner >= 0) {
        const message = () => `Ticket ${number} belongs to ${books.orderId(owner)} and to ${books.orderId(row)}.`;
        found.add('I1', message, refundTheLater(evidence.sources.tools, evidence.saleId));
      } else sold += 1;
      owners[number] = row;
    }
  }
  const capacity = capacityOf(evidence);
  if (sold > capacity) {
    const message = () => `${counted(sold, 'ticket number')} are sold, and ${capacity} exist.`;
    found.add('I1', message, BEYOND_CAPACITY);
  }
}

function highestNumber({ books }: SaleEvidence): number {
  let highest = 0;
  for (let row = 0; row < books.size; row += 1) {
    for (const number of books.tickets(row)) highest = Math.max(highest, number);
  }
  return highest;
}

/** MySQL alone has a number as live in two orders: its unique key is gone. */
export function checkArchivedDoubles(evidence: SaleEvidence, found: Findings): void {
  for (const { ticketNumber, first, second } of evidence.books.doubles.kept) {
    const message = () => `MySQL has ticket ${ticketNumber} as live in ${first} and in ${second}.`;
    found.add('I1', message, replayLogs(evidence.sources.tools, logsOf(evidence)));
  }
  found.more(evidence.books.doubles.unkept);
}
