import { pathOf } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import type { Context, GlobalOptions } from '../../context.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { confirmModerate, confirmSevere } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import { callApiAuthenticated } from '../../session.ts';
import { loadSettings } from '../../settings.ts';
import { getSale, parseSaleId } from './sale-api.ts';
import { renderSale } from './show.ts';

export type PhaseChange = 'open' | 'pause' | 'resume' | 'close';

export interface ChangePhaseOptions extends GlobalOptions {
  readonly yes?: boolean;
  /** Id or name of the sale that is closed. */
  readonly confirm?: string;
}

const ROUTES = { open: 'saleOpen', pause: 'salePause', resume: 'saleResume', close: 'saleClose' } as const;

const EFFECTS: Readonly<Record<PhaseChange, string>> = {
  open: 'opens now, before its opening time if that has not come: buyers are admitted at once.',
  pause: 'is paused: nobody is admitted and nothing new is held until it is resumed. Payments under way are finished.',
  resume: 'goes on: waiting buyers are admitted again.',
  close: 'is closed for good: everybody who waits is sent away, and it cannot be opened again.',
};

/** `fest sale open|pause|resume|close`. */
export async function runChangePhase(
  context: Context,
  change: PhaseChange,
  id: string,
  options: ChangePhaseOptions,
): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const settings = await loadSettings(context, options);
  const before = await getSale(settings.url.value, saleId);
  const effect = `Sale ${saleId} “${before.name}” (${before.phase}, ${before.stock.sold} sold) ${EFFECTS[change]}`;
  if (change === 'close') {
    const accepted = [String(saleId), before.name];
    await confirmSevere(context, { effect, accepted, confirm: options.confirm });
  } else {
    await confirmModerate(context, { effect, yes: options.yes === true });
  }
  const request = { method: 'POST', path: pathOf(ROUTES[change], { saleId }) } as const;
  const sale = (await callApiAuthenticated(context, settings, request)) as Sale;
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.sale/1', { sale });
    return EXIT.done;
  }
  context.stderr.write(`Sale ${saleId} “${sale.name}” was ${before.phase} and is ${sale.phase} now.\n`);
  context.stdout.write(renderSale(sale, context));
  return EXIT.done;
}
