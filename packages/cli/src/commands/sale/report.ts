/** `fest sale report`: a page to read and a document for programs, of a sale that is over or still goes on. */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { SaleReport } from '@fest/server/contract/sale-report';
import type { Context, GlobalOptions } from '../../context.ts';
import { codeOf, FixableError, messageOf } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { count, formatMoney } from '../../render/values.ts';
import { renderPage } from '../../report-page/page.ts';
import { loadSettings } from '../../settings.ts';
import { operatorApi } from './operator-api.ts';
import { parseSaleId } from './sale-api.ts';

export interface SaleReportOptions extends GlobalOptions {
  readonly out?: string;
  readonly force?: boolean;
}

interface ReportFile {
  readonly path: string;
  readonly content: string;
}

export async function runSaleReport(context: Context, id: string, options: SaleReportOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const paths = await pathsOf(context.cwd, saleId, options.out);
  // Before anybody is asked: a report takes the server some work.
  if (options.force !== true) for (const path of [paths.html, paths.json]) await refuseExisting(path);
  const settings = await loadSettings(context, options);
  const report = await operatorApi(context, settings, saleId).readReport();
  const files: readonly ReportFile[] = [
    { path: paths.html, content: renderPage(report) },
    { path: paths.json, content: `${JSON.stringify(report, undefined, 2)}\n` },
  ];
  for (const file of files) await writeFile(file, options.force === true);
  if (options.json === true) {
    const { partial, recorded, totals } = report;
    writeDocument(context.stdout, 'fest.sale-report-files/1', { saleId, ...paths, partial, recorded, totals });
  } else {
    context.stdout.write(`${paths.html}\n${paths.json}\n`);
    context.stderr.write(summaryOf(report, context.colour.stderr));
  }
  return EXIT.done;
}

/** Two files beside each other. A name that ends in `.html` or `.json` is that of a file, anything else a folder. */
async function pathsOf(cwd: string, saleId: number, out: string | undefined) {
  const name = `sale-${saleId}-report`;
  const target = resolve(cwd, out ?? '.');
  const stem = /^(.*[^/\\])\.(?:html|json)$/.exec(target)?.[1];
  const isFolder = await stat(target).then(
    (found) => found.isDirectory(),
    () => undefined,
  );
  if (stem !== undefined && isFolder !== true) return { html: `${stem}.html`, json: `${stem}.json` };
  if (isFolder === false) {
    throw new FixableError({
      what: `--out ${out} is a file, and not called .html or .json`,
      fix: 'Name a folder, or a file like --out report.html; the document is written beside it as report.json.',
      exitCode: EXIT.usage,
    });
  }
  return { html: join(target, `${name}.html`), json: join(target, `${name}.json`) };
}

function isThere(path: string, cause?: unknown): FixableError {
  return new FixableError({
    what: `${path} is there already`,
    fix: 'Add --force to write it anew, or name another place with --out.',
    exitCode: EXIT.usage,
    cause,
  });
}

async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) throw isThere(path);
}

/** Readers see the old or the new content, never half of it. Whether a file has come there meanwhile is looked at once more, just before. */
async function writeFile({ path, content }: ReportFile, mayReplace: boolean): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(temporary, 'w');
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    if (!mayReplace) await refuseExisting(path);
    await rename(temporary, path);
  } catch (error) {
    // Where nothing can be written nothing is left behind.
    await rm(temporary, { force: true }).catch(() => undefined);
    if (error instanceof FixableError) throw error;
    throw new FixableError({
      what: `${path} could not be written`,
      why: `${codeOf(error) ?? ''} ${messageOf(error)}`.trim(),
      fix: 'Name a folder you may write to with --out.',
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}

function summaryOf({ sale, partial, totals, recorded }: SaleReport, colour: boolean): string {
  const { yellow } = createStyle(colour);
  const { orders, tickets, money } = totals;
  const lines = [
    `Sale ${sale.id} “${printable(sale.name)}”: ${count(tickets.sold, 'ticket')} in ${count(orders.paid, 'order')}, ${formatMoney(money.net, sale.currency)}.`,
    ...(partial ? [yellow('The sale has not closed: the figures are so far.')] : []),
    ...(recorded.rows === 0 ? [yellow('Nothing was recorded of it, so the page has no charts.')] : []),
    ...(recorded.gaps.length === 0
      ? []
      : [yellow(`${count(recorded.gaps.length, 'gap')} in the timeline, shown as such.`)]),
  ];
  return `${lines.join('\n')}\n`;
}
