import { setTimeout as sleep } from 'node:timers/promises';
import { saleOrdersList } from '@fest/server/contract/list-names';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleOrder, SaleOrderPage } from '@fest/server/contract/sale-orders';
import type { FestivalWithSales, Sale } from '@fest/server/contract/schemas';
import { encodeCursor } from '@fest/server/platform/page-cursor';
import { callApi } from '../../api-client.ts';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import type { ExportShape } from '../../exporting/export-format.ts';
import type { ExportOptions } from '../../exporting/export-options.ts';
import { ExportRun } from '../../exporting/export-run.ts';
import { writeDocument } from '../../render/document.ts';
import { count } from '../../render/values.ts';
import { callApiAuthenticated } from '../../session.ts';
import { loadSettings, type Settings } from '../../settings.ts';
import { parseFestivalId } from '../attendees/festival-id.ts';
import { getSale, parseSaleId } from '../sale/sale-api.ts';
import { describeNumbers, judgePage, type NumberRange } from './order-numbers.ts';

/** The most a page has. */
const PAGE_ORDERS = 100;
/** Between two looks whether a missing order has reached the archive. */
const LOOK_AGAIN_MS = 500;
const WAIT_SECONDS_DEFAULT = 15;
const WAIT_SECONDS_MAX = 3_600;
/** Told one by one; all are counted. */
const MISSING_TOLD = 100;

export interface OrdersExportOptions extends ExportOptions {
  readonly festival?: string;
  readonly wait?: string;
  readonly despiteGaps?: boolean;
}

/** What became of one sale. */
interface SaleOutcome {
  readonly saleId: number;
  /** Number of the last order that is written. */
  readonly through: number;
  /** Undefined: how many orders there are could not be found out. */
  readonly complete: boolean | undefined;
  readonly missing: readonly NumberRange[];
}

export const ORDER_SHAPE: ExportShape<SaleOrder> = {
  schema: 'fest.order/1',
  numberColumn: 'number',
  columns: [
    ['saleId', ({ saleId }) => saleId],
    ['number', ({ number }) => number],
    ['orderId', ({ orderId }) => orderId],
    ['status', ({ status }) => status],
    ['paidAt', ({ paidAt }) => paidAt],
    ['cancelledAt', ({ cancelledAt }) => cancelledAt],
    ['accountId', ({ accountId }) => accountId],
    ['name', ({ name }) => name],
    ['email', ({ email }) => email],
    ['ticketNumbers', ({ ticketNumbers }) => ticketNumbers.join(' ')],
    ['tickets', ({ ticketNumbers }) => ticketNumbers.length],
    ['amount', ({ amount }) => amount],
    ['currency', ({ currency }) => currency],
    ['paymentId', ({ paymentId }) => paymentId],
    ['festivalId', ({ festivalId }) => festivalId],
  ],
  place: ({ saleId, number }) => ({ saleId, number }),
};

/** `fest orders export`: orders by sale and number, without a gap, as they are read. */
export async function runOrdersExport(
  context: Context,
  id: string | undefined,
  options: OrdersExportOptions,
): Promise<ExitCode> {
  const wanted = parseWanted(id, options.festival);
  const waitMs = parseWait(options.wait);
  const settings = await loadSettings(context, options);
  const saleIds = await listSaleIds(settings.url.value, wanted);
  return ExportRun.of(context, options, ORDER_SHAPE, async (run) => {
    const start = run.place;
    if (start !== undefined && !saleIds.includes(start.saleId)) throw otherSale(start.saleId, saleIds);
    const outcomes: SaleOutcome[] = [];
    for (const saleId of saleIds.filter((candidate) => candidate >= (start?.saleId ?? 0))) {
      const after = start?.saleId === saleId ? start.number : 0;
      const outcome = await new SaleExport(context, settings, run, { saleId, after, waitMs, options }).run();
      outcomes.push(outcome);
      // What stands behind a gap would be lost for whoever goes on from the end.
      if (run.isUnread || (outcome.complete === false && options.despiteGaps !== true)) break;
    }
    return tell(context, run, outcomes, options);
  });
}

interface SaleExportOptions {
  readonly saleId: number;
  readonly after: number;
  readonly waitMs: number;
  readonly options: OrdersExportOptions;
}

class SaleExport {
  readonly #context: Context;
  readonly #settings: Settings;
  readonly #run: ExportRun<SaleOrder>;
  readonly #options: SaleExportOptions;
  readonly #missing: NumberRange[] = [];
  #after: number;
  /** Number of the last order there was when this began. */
  #goal: number | undefined;
  #waitedMs = 0;

  constructor(context: Context, settings: Settings, run: ExportRun<SaleOrder>, options: SaleExportOptions) {
    this.#context = context;
    this.#settings = settings;
    this.#run = run;
    this.#options = options;
    this.#after = options.after;
  }

  async run(): Promise<SaleOutcome> {
    for (;;) {
      const page = await this.#run.ask(() => this.#page());
      this.#goal ??= page.lastNumber ?? undefined;
      const { items, after, verdict } = judgePage(page, this.#after, this.#goal);
      await this.#run.write(items);
      this.#after = after;
      if (items.length > 0) this.#waitedMs = 0;
      if (this.#run.isUnread) return this.#outcome(undefined);
      if (verdict.status === 'complete') return this.#outcome(this.#missing.length === 0);
      if (verdict.status === 'unknown') return this.#outcome(this.#missing.length === 0 ? undefined : false);
      if (verdict.status === 'missing' && !(await this.#waits(verdict.numbers))) return this.#outcome(false);
    }
  }

  #outcome(complete: boolean | undefined): SaleOutcome {
    return { saleId: this.#options.saleId, through: this.#after, complete, missing: this.#missing };
  }

  #page(): Promise<SaleOrderPage> {
    const { saleId } = this.#options;
    const query = new URLSearchParams({ limit: String(PAGE_ORDERS) });
    if (this.#after > 0) query.set('cursor', encodeCursor(saleOrdersList(saleId), [this.#after]));
    const path = `${pathOf('saleOrders', { saleId })}?${query}`;
    // The server serializes by the contract's schema, so the answer has its form.
    return callApiAuthenticated(this.#context, this.#settings, { method: 'GET', path }) as Promise<SaleOrderPage>;
  }

  /** An order is archived within some seconds. @returns false when it has taken too long and nothing is to be left out */
  async #waits(numbers: NumberRange): Promise<boolean> {
    const { waitMs, options } = this.#options;
    if (this.#waitedMs < waitMs) {
      this.#waitedMs += LOOK_AGAIN_MS;
      await sleep(LOOK_AGAIN_MS, undefined, { signal: this.#run.signal }).catch(() => undefined);
      return true;
    }
    this.#missing.push(numbers);
    if (options.despiteGaps !== true) return false;
    this.#after = numbers.last;
    return true;
  }
}

type Wanted = { readonly saleId: number } | { readonly festivalId: number };

function parseWanted(id: string | undefined, festival: string | undefined): Wanted {
  if (id !== undefined && festival === undefined) return { saleId: parseSaleId(id) };
  if (id === undefined && festival !== undefined) return { festivalId: parseFestivalId(festival) };
  throw new FixableError({
    what: id === undefined ? 'It is not said whose orders' : 'A sale and --festival do not go together',
    fix: 'Name a sale (fest orders export 3) or all sales of a festival (fest orders export --festival 1).',
    exitCode: EXIT.usage,
  });
}

function parseWait(text: string | undefined): number {
  if (text === undefined) return WAIT_SECONDS_DEFAULT * 1000;
  if (/^\d{1,4}$/.test(text) && Number(text) <= WAIT_SECONDS_MAX) return Number(text) * 1000;
  throw new FixableError({
    what: `--wait is wrong: “${text}”`,
    fix: `Give a whole number of seconds from 0 to ${WAIT_SECONDS_MAX}.`,
    exitCode: EXIT.usage,
  });
}

async function listSaleIds(baseUrl: string, wanted: Wanted): Promise<readonly number[]> {
  if ('saleId' in wanted) {
    const sale: Pick<Sale, 'id'> = await getSale(baseUrl, wanted.saleId);
    return [sale.id];
  }
  const path = pathOf('festival', { festivalId: wanted.festivalId });
  const { sales } = (await callApi(baseUrl, { method: 'GET', path })) as FestivalWithSales;
  return sales.map(({ id }) => id).sort((left, right) => left - right);
}

function otherSale(saleId: number, saleIds: readonly number[]): FixableError {
  return new FixableError({
    what: `What is there ends in sale ${saleId}, which this export does not have`,
    why: saleIds.length === 0 ? 'there are no sales' : `it has ${count(saleIds.length, 'sale')}: ${saleIds.join(', ')}`,
    fix: 'Name the same sale or festival as before.',
    exitCode: EXIT.usage,
  });
}

function tell(
  context: Context,
  run: ExportRun<SaleOrder>,
  outcomes: readonly SaleOutcome[],
  options: OrdersExportOptions,
): ExitCode {
  const { stderr, stdout } = context;
  const isComplete = outcomes.every(({ complete }) => complete === true);
  const goOn = isComplete ? undefined : run.howToGoOn;
  if (options.json === true && options.output !== undefined) {
    const sales = outcomes.map((outcome) => ({ ...outcome, complete: outcome.complete ?? null }));
    writeDocument(stdout, 'fest.orders-export/1', {
      file: options.output,
      lines: run.written,
      complete: isComplete,
      sales,
    });
  }
  if (run.isUnread) return EXIT.done;
  stderr.write(`${count(run.written, 'order')} written.\n`);
  for (const outcome of outcomes) stderr.write(`${describeOutcome(outcome)}\n`);
  if (goOn !== undefined) stderr.write(`${goOn}\n`);
  return isComplete ? EXIT.done : EXIT.partlyDone;
}

function describeOutcome({ saleId, through, complete, missing }: SaleOutcome): string {
  if (complete === true) return `Sale ${saleId} is complete up to order number ${through}.`;
  if (complete === undefined) {
    return `Sale ${saleId}: up to order number ${through}. Whether there are more is not known: Redis does not have the sale now.`;
  }
  const told = missing.slice(0, MISSING_TOLD).map(describeNumbers).join(', ');
  return (
    `Sale ${saleId} is not complete: ${told} not archived${missing.length > MISSING_TOLD ? ', and more' : ''}. ` +
    'A server that is down brings its own when it is up; `fest log failed` shows what MySQL refused. A payment that was given ' +
    'back at once leaves its number out for good: --despite-gaps goes on behind it.'
  );
}
