import { setTimeout as sleep } from 'node:timers/promises';
import { pathOf } from '@fest/server/contract/paths';
import type { SaleRebuild } from '@fest/server/contract/schemas';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { confirmModerate } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import { callApiAuthenticated } from '../../session.ts';
import { loadSettings } from '../../settings.ts';
import { getSale, parseSaleId } from './sale-api.ts';

export interface SaleRebuildOptions extends GlobalOptions {
  readonly yes?: boolean;
}

/** A rebuild takes about a second; one that takes this long waits for a server that is gone. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 250;
const SAY_EVERY_MS = 5_000;

/** `fest sale rebuild`. */
export async function runSaleRebuild(context: Context, id: string, options: SaleRebuildOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const settings = await loadSettings(context, options);
  const name = await findName(settings.url.value, saleId);
  const effect =
    name === undefined
      ? `Sale ${saleId} is frozen already, and its stock is being built anew. This waits for it, and says for what it waits.`
      : `Sale ${saleId} “${name}” is frozen for about a second while its stock is built anew from what was sold. ` +
        'Nothing that was bought is lost. Unpaid holds end, and everybody who waits joins the line again.';
  await confirmModerate(context, { effect, yes: options.yes === true, environment: settings.environment });
  const path = pathOf('saleRebuild', { saleId });
  const ask = async (method: 'GET' | 'POST') =>
    (await callApiAuthenticated(context, settings, { method, path })) as SaleRebuild;

  let rebuild = await ask('POST');
  const giveUpAtMs = performance.now() + PATIENCE_MS;
  let saidAtMs = performance.now();
  while (rebuild.rebuilding && performance.now() < giveUpAtMs) {
    await sleep(LOOK_EVERY_MS);
    rebuild = await ask('GET');
    if (performance.now() - saidAtMs < SAY_EVERY_MS) continue;
    saidAtMs = performance.now();
    if (rebuild.rebuilding) context.stderr.write(`Still waiting for ${logsOf(rebuild)}.\n`);
  }
  if (options.json === true) writeDocument(context.stdout, 'fest.sale-rebuild/1', { rebuild });
  if (!rebuild.rebuilding) {
    if (options.json !== true) context.stdout.write(`Sale ${saleId} was built anew: epoch ${rebuild.epoch}.\n`);
    return EXIT.done;
  }
  context.stderr.write(
    `Sale ${saleId} stays frozen: ${logsOf(rebuild)} may have orders that nobody else knows of.\n` +
      'Start that server again; the rebuild goes on by itself. If it will never come back, bring its orders in with\n' +
      '  fest log replay --dir <its order log> --retire\n' +
      lastResort(rebuild),
  );
  return EXIT.partlyDone;
}

/** Undefined when the sale cannot be shown because it is frozen: that is when this command is needed. */
async function findName(baseUrl: string, saleId: number): Promise<string | undefined> {
  try {
    return (await getSale(baseUrl, saleId)).name;
  } catch (error) {
    if (error instanceof FixableError && error.details.problemCode === 'sale_recovering') return undefined;
    throw error;
  }
}

/** Whole ids: they are copied from here. */
function lastResort({ waitingFor }: SaleRebuild): string {
  if (waitingFor.length === 0) return '';
  const commands = waitingFor.map(({ server, logId }) => `  fest log retire ${logId} --lost    (${server})\n`);
  return `Only if no copy of that log is left anywhere, give up what it had:\n${commands.join('')}`;
}

function logsOf({ waitingFor }: SaleRebuild): string {
  if (waitingFor.length === 0) return 'the servers to put the new stock in place';
  return waitingFor.map(({ server, logId }) => `the order log of ${server} (${logId.slice(0, 8)}…)`).join(', ');
}
