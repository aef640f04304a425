import type { SaleAction, SaleHistory } from '@fest/server/contract/operations';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { renderTable } from '../../render/table.ts';
import { formatTime } from '../../render/values.ts';
import { loadSettings } from '../../settings.ts';
import { describeSettings } from './describe-settings.ts';
import { type OperatorApi, operatorApi } from './operator-api.ts';
import { parseSaleId } from './sale-api.ts';

export interface SaleHistoryOptions extends GlobalOptions {
  readonly limit?: string;
}

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000;
/** What the server tells at once. */
const PAGE = 100;

/** `fest sale history`: who changed what, newest first. */
export async function runSaleHistory(context: Context, id: string, options: SaleHistoryOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const limit = parseLimit(options.limit);
  const settings = await loadSettings(context, options);
  const items = await readActions(operatorApi(context, settings, saleId), limit);
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.sale-history/1', { saleId, items });
    return EXIT.done;
  }
  if (items.length === 0) context.stderr.write(`Nobody has changed sale ${saleId} yet.\n`);
  else context.stdout.write(renderHistory(items, context));
  return EXIT.done;
}

export function renderHistory(
  items: readonly SaleAction[],
  context: Pick<Context, 'stdout' | 'colour' | 'now'>,
): string {
  const rows = items.map(({ at, operator, operatorId, action, from, to, forced }) => [
    formatTime(at, context.now(), context.stdout.isTTY),
    operatorId === null ? "the sale's times" : (operator ?? `account ${operatorId}`),
    action,
    describeSettings(from),
    describeSettings(to),
    forced.join(', '),
  ]);
  const columns = ['when', 'who', 'what', 'from', 'to', 'despite'].map((title) => ({ title }));
  return renderTable(columns, rows, context.colour.stdout);
}

async function readActions(api: OperatorApi, limit: number): Promise<readonly SaleAction[]> {
  const items: SaleAction[] = [];
  let cursor: string | undefined;
  do {
    const page: SaleHistory = await api.readHistory({
      limit: Math.min(PAGE, limit - items.length),
      ...(cursor === undefined ? {} : { cursor }),
    });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && items.length < limit);
  return items;
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return LIMIT_DEFAULT;
  const limit = Number(text);
  if (/^[1-9]\d*$/.test(text) && limit <= LIMIT_MAX) return limit;
  throw new FixableError({
    what: `--limit ${text} is not a number from 1 to ${LIMIT_MAX}`,
    fix: 'For example --limit 50',
    exitCode: EXIT.usage,
  });
}
