import type { SaleAction } from '@fest/server/contract/operations';
import type { Sale } from '@fest/server/contract/schemas';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { type ChangeOptions, carryOut, requireConsent } from './carry-out.ts';
import { effectOf, PHASE_AFTER } from './change-phase.ts';
import { decideUndo, type Undo } from './decide-undo.ts';
import { describeSettings } from './describe-settings.ts';
import { type OperatorApi, operatorApi } from './operator-api.ts';
import { isSameStart, planAdmission, planPhase } from './plan.ts';
import { describeAdmission } from './resolve-admission.ts';
import { getSale, parseSaleId } from './sale-api.ts';

/** Looked through for the last change of an operator. */
const ACTIONS = 20;

/** `fest sale undo`. */
export async function runSaleUndo(context: Context, id: string, options: ChangeOptions): Promise<ExitCode> {
  const saleId = parseSaleId(id);
  const settings = await loadSettings(context, options);
  const sale = await getSale(settings.url.value, saleId);
  const consent = { kind: 'moderate', yes: options.yes === true } as const;
  const what = `The last change of sale ${saleId} “${sale.name}” by an operator is taken back.`;
  if (options.dryRun !== true) requireConsent(context, what, consent);
  const api = operatorApi(context, settings, saleId);
  const { items } = await api.readHistory({ limit: ACTIONS });
  const state = await api.readAdmission();
  const undo = decideUndo(items, state);
  if (undo.kind === 'impossible') throw cannotUndo(saleId, undo);
  const plan = undo.kind === 'phase' ? planPhase(state, PHASE_AFTER[undo.change]) : planAdmission(state, undo.to);
  const title = `undo ${describeAction(undo.action)}`;
  const { environment } = settings;
  const isAsPlanned = async () => {
    const again = decideUndo((await api.readHistory({ limit: ACTIONS })).items, await api.readAdmission());
    return (
      again.kind !== 'impossible' && again.action.id === undo.action.id && isSameStart(await api.readAdmission(), state)
    );
  };
  return carryOut(
    context,
    options,
    { title, plan, effect: effectOfUndo(undo, sale), consent, environment, isAsPlanned },
    async () => {
      await takeBack(api, undo);
      if (options.json === true) {
        writeDocument(context.stdout, 'fest.sale-undo/1', { saleId, undone: undo.action, plan });
        return;
      }
      context.stdout.write(`Taken back: ${describeAction(undo.action)}.\n`);
    },
  );
}

type Possible = Exclude<Undo, { readonly kind: 'impossible' }>;

function effectOfUndo(undo: Possible, sale: Sale): string {
  if (undo.kind === 'phase') return effectOf(undo.change, sale);
  return `Sale ${sale.id} “${sale.name}” admits by ${describeAdmission(undo.to)} again.`;
}

async function takeBack(api: OperatorApi, undo: Possible): Promise<void> {
  if (undo.kind === 'phase') await api.changePhase(undo.change);
  else await api.setAdmission(undo.to);
}

function describeAction({ at, operator, operatorId, action, from, to }: SaleAction): string {
  return `${action} ${describeSettings(from)} → ${describeSettings(to)} by ${operator ?? `operator ${operatorId}`} at ${at}`;
}

function cannotUndo(saleId: number, { why, fix }: { readonly why: string; readonly fix: string }): FixableError {
  return new FixableError({
    what: `The last change of sale ${saleId} cannot be undone`,
    why,
    fix,
    exitCode: EXIT.refused,
  });
}
