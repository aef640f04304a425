/** The sale that a rehearsal is for (`--apply`): whether it can be set is known before anything is measured. */
import type { Sale } from '@fest/server/contract/schemas';
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { requireModerate } from '../../prompt.ts';
import { loadSettings } from '../../settings.ts';
import { operatorApi } from '../sale/operator-api.ts';
import { runSaleRate } from '../sale/rate.ts';
import { getSale } from '../sale/sale-api.ts';
import type { AdmissionProposal } from './admission-proposal.ts';

export interface AimOptions {
  readonly saleId: number;
  /** Of the server that is asked about the sale, and told. */
  readonly url: string;
  /** The environment is named by `profile`. */
  readonly flags: Pick<GlobalOptions, 'dir' | 'profile'>;
  readonly yes: boolean;
}

export interface RehearsalAim extends AimOptions {
  readonly sale: Sale;
}

/** @throws FixableError when nobody could be asked in the end */
export function requireConsentToApply(context: Context, saleId: number, yes: boolean): void {
  requireModerate(context, { effect: `The admission of sale ${saleId} is set anew in the end.`, yes });
}

/** @throws FixableError when there is no such sale, nobody is logged in, or the account may not set it */
export async function findAim(context: Context, options: AimOptions): Promise<RehearsalAim> {
  const { saleId, url, flags } = options;
  const settings = await loadSettings(context, { ...flags, url });
  const sale = await getSale(url, saleId);
  await operatorApi(context, settings, saleId).readAdmission();
  return { ...options, sale };
}

/** Sets the proposal, after the plan and its question. @throws FixableError when it is not that sale any more */
export async function applyProposal(
  context: Context,
  { saleId, url, flags, yes, sale }: RehearsalAim,
  { perSecond, maxActive }: AdmissionProposal,
  json: boolean,
): Promise<ExitCode> {
  const present = await getSale(url, saleId);
  if (present.festivalId !== sale.festivalId || present.name !== sale.name) {
    throw new FixableError({
      what: `Sale ${saleId} at ${url} is another one now; nothing was set`,
      why: `it was “${sale.name}” of festival ${sale.festivalId}, and is “${present.name}” of festival ${present.festivalId}`,
      fix: 'Look at the sales (fest sale list), and set what was proposed with fest sale rate.',
      exitCode: EXIT.refused,
    });
  }
  const wanted = { mode: 'fixed', perSecond: String(perSecond), maxActive: String(maxActive) };
  return runSaleRate(context, String(saleId), { ...flags, url, yes, json, ...wanted });
}

/** The command that does the same by hand, without its numbers: with the place, so that it is this sale and no other. */
export function rateCommandOf(options: {
  readonly saleId: number | undefined;
  /** Undefined: of the stack in the folder. */
  readonly url: string | undefined;
  readonly flags: AimOptions['flags'];
}): string {
  const { saleId, url, flags } = options;
  const named = (flag: string, value: string | undefined): readonly string[] =>
    value === undefined ? [] : [flag, quoted(value)];
  const place = [...named('-C', flags.dir), ...named('--url', url), ...named('--profile', flags.profile)];
  return ['fest', ...place, 'sale rate', saleId === undefined ? '<id>' : String(saleId)].join(' ');
}

/** For a shell, where it needs that. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
