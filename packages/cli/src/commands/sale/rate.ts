import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { type ChangeOptions, carryOut, requireConsent } from './carry-out.ts';
import { operatorApi } from './operator-api.ts';
import { type Admission, admissionOf, isSameAdmission, isSameStart, planAdmission } from './plan.ts';
import { describeAdmission, type RateInput, resolveAdmission } from './resolve-admission.ts';
import { getSale, parseSaleId } from './sale-api.ts';

export interface SaleRateOptions extends ChangeOptions {
  readonly perSecond?: string;
  readonly maxActive?: string;
  readonly mode?: string;
}

/** `fest sale rate`. */
export async function runSaleRate(context: Context, id: string, options: SaleRateOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const wanted = parseRate(options);
  const settings = await loadSettings(context, options);
  const { name } = await getSale(settings.url.value, saleId);
  const consent = { kind: 'moderate', yes: options.yes === true } as const;
  const title = `admission of sale ${saleId} “${name}”`;
  if (options.dryRun !== true) requireConsent(context, `The ${title} is set anew.`, consent);
  const api = operatorApi(context, settings, saleId);
  const state = await api.readAdmission();
  const to = resolveAdmission(admissionOf(state), wanted);
  const effect = `Sale ${saleId} “${name}” admits by ${describeAdmission(to)} from now on.`;
  if (options.dryRun !== true && isSameAdmission(admissionOf(state), to)) {
    return tellUnchanged(context, options, { saleId, name, to });
  }
  const { environment } = settings;
  const isAsPlanned = async () => isSameStart(await api.readAdmission(), state);
  return carryOut(
    context,
    options,
    { title, plan: planAdmission(state, to), effect, consent, environment, isAsPlanned },
    async () => {
      const admission = await api.setAdmission(to);
      if (options.json === true) {
        writeDocument(context.stdout, 'fest.sale-rate/1', { from: admissionOf(state), admission });
        return;
      }
      context.stdout.write(`Sale ${saleId} “${name}” admits by ${describeAdmission(admission)}.\n`);
    },
  );
}

/** Nothing is sent: it would be the last change, and undo would take back nothing. */
function tellUnchanged(
  { stdout }: Pick<Context, 'stdout'>,
  options: SaleRateOptions,
  { saleId, name, to }: { readonly saleId: number; readonly name: string; readonly to: Admission },
): ExitCode {
  if (options.json === true) writeDocument(stdout, 'fest.sale-rate/1', { from: to, admission: { saleId, ...to } });
  else stdout.write(`Sale ${saleId} “${name}” admits by ${describeAdmission(to)} already; nothing was changed.\n`);
  return EXIT.done;
}

function parseRate({ perSecond, maxActive, mode }: SaleRateOptions): RateInput {
  if (perSecond === undefined && maxActive === undefined && mode === undefined) {
    throw new FixableError({
      what: 'Nothing is to be changed',
      fix: 'Say what: --per-second, --max-active, --mode. What there is now: fest sale rate <id> --per-second … --dry-run',
      exitCode: EXIT.usage,
    });
  }
  return {
    ...(perSecond === undefined ? {} : { perSecond: parseCount('--per-second', perSecond, 0) }),
    ...(maxActive === undefined ? {} : { maxActive: parseCount('--max-active', maxActive, 1) }),
    ...(mode === 'auto' || mode === 'fixed' ? { mode } : {}),
  };
}

/** How large it may be is for the server to say. */
function parseCount(flag: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
  throw new FixableError({
    what: `${flag} ${text} is not a whole number from ${least} on`,
    fix: `For example ${flag} 100`,
    exitCode: EXIT.usage,
  });
}
