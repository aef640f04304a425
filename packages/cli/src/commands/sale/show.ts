import type { Sale } from '@fest/server/contract/schemas';
import type { Context, GlobalOptions } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { createStyle } from '../../render/style.ts';
import { formatMoney, formatTime } from '../../render/values.ts';
import { loadSettings } from '../../settings.ts';
import { getSale, parseSaleId } from './sale-api.ts';

export async function runSaleShow(context: Context, id: string, options: GlobalOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const settings = await loadSettings(context, options);
  const sale = await getSale(settings.url.value, saleId);
  if (options.json === true) writeDocument(context.stdout, 'fest.sale/1', { sale });
  else context.stdout.write(renderSale(sale, context));
  return EXIT.done;
}

/** One sale, a line for each fact. */
export function renderSale(sale: Sale, context: Pick<Context, 'stdout' | 'colour' | 'now'>): string {
  const style = createStyle(context.colour.stdout);
  const time = (iso: string) => formatTime(iso, context.now(), context.stdout.isTTY);
  const { available, held, sold } = sale.stock;
  const facts: readonly (readonly [string, string])[] = [
    ['sale', `${sale.id} ${sale.name}`],
    ['festival', String(sale.festivalId)],
    ['phase', sale.phase],
    ['price', formatMoney(sale.price, sale.currency)],
    ['capacity', String(sale.capacity)],
    ['stock', `${available} available, ${held} held, ${sold} sold`],
    ['limit per buyer', String(sale.limitPerBuyer)],
    ['opens', time(sale.opensAt)],
    ['closes', time(sale.closesAt)],
    ['refunds until', time(sale.refundUntil)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}\n`).join('');
}
