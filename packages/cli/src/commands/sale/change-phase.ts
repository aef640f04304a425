import type { ReadinessCheck } from '@fest/server/contract/operations';
import type { Sale } from '@fest/server/contract/schemas';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { writeDocument } from '../../render/document.ts';
import { loadSettings } from '../../settings.ts';
import { type ChangeOptions, type Consent, carryOut, requireConsent } from './carry-out.ts';
import { type OperatorApi, operatorApi, type PhaseChange } from './operator-api.ts';
import { isSameStart, planPhase } from './plan.ts';
import { notReady, obstaclesOf, renderOverridden, renderWarnings, sayChecking } from './readiness-report.ts';
import { getSale, parseSaleId } from './sale-api.ts';
import { renderSale } from './show.ts';

export interface ChangePhaseOptions extends ChangeOptions {
  /** Id or name of the sale that is closed. */
  readonly confirm?: string;
  /** Opens although checks of the readiness failed. */
  readonly force?: boolean;
}

/** The phase a change leads to. */
export const PHASE_AFTER = { open: 'open', pause: 'paused', resume: 'open', close: 'closed' } as const;

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
  const api = operatorApi(context, settings, saleId);
  const before = await getSale(settings.url.value, saleId).catch((error: unknown) => {
    if (change === 'open' && isAway(error)) return explainByReadiness(api, saleId, error);
    throw error;
  });
  refuseWrongPhase(change, before);
  const effect = effectOf(change, before);
  const consent = consentTo(change, before, options);
  if (options.dryRun !== true) requireConsent(context, effect, consent);
  if (change === 'open') sayChecking(context, saleId);
  const overridden = change === 'open' ? await findOverridden(context, api, saleId, options.force === true) : [];
  const state = await api.readAdmission();
  const plan = planPhase(state, PHASE_AFTER[change]);
  if (overridden.length > 0) context.stderr.write(renderOverridden(overridden));
  const title = `${change} sale ${saleId} “${before.name}”`;
  const { environment } = settings;
  const isAsPlanned = async () => isSameStart(await api.readAdmission(), state);
  return carryOut(context, options, { title, plan, effect, consent, environment, isAsPlanned }, async () => {
    const sale = await api.changePhase(
      change,
      overridden.map((check) => check.id),
    );
    tellOfSale(context, options, before, sale);
  });
}

export function effectOf(change: PhaseChange, { id, name, phase, stock }: Sale): string {
  return `Sale ${id} “${name}” (${phase}, ${stock.sold} sold) ${EFFECTS[change]}`;
}

/** The sale as it is now, and what it was. */
export function tellOfSale(context: Context, options: ChangeOptions, before: Sale, sale: Sale): void {
  if (options.json === true) {
    writeDocument(context.stdout, 'fest.sale/1', { sale });
    return;
  }
  context.stderr.write(`Sale ${sale.id} “${sale.name}” was ${before.phase} and is ${sale.phase} now.\n`);
  context.stdout.write(renderSale(sale, context));
}

function consentTo(change: PhaseChange, sale: Sale, options: ChangePhaseOptions): Consent {
  if (change !== 'close') return { kind: 'moderate', yes: options.yes === true };
  return { kind: 'severe', accepted: [String(sale.id), sale.name], confirm: options.confirm };
}

/** The checks that are overridden. Throws when the sale is not ready and nobody says that it is to be opened all the same. */
async function findOverridden(
  { stderr }: Pick<Context, 'stderr'>,
  api: OperatorApi,
  saleId: number,
  force: boolean,
): Promise<readonly ReadinessCheck[]> {
  const readiness = await api.readReadiness();
  const obstacles = obstaclesOf(readiness);
  if (obstacles.length > 0 && !force) throw notReady(saleId, obstacles);
  stderr.write(renderWarnings(readiness));
  return obstacles;
}

/** Whether a sale cannot be told for a reason that its readiness knows better. */
function isAway(error: unknown): boolean {
  const code = error instanceof FixableError ? error.details.problemCode : undefined;
  return code === 'sale_recovering' || code === 'store_unavailable';
}

/** "Try again" is no remedy: what the sale waits for is. @throws always */
async function explainByReadiness(api: OperatorApi, saleId: number, error: unknown): Promise<never> {
  const obstacles = obstaclesOf(await api.readReadiness());
  throw obstacles.length === 0 ? error : notReady(saleId, obstacles);
}

const MAY_CHANGE: Readonly<Record<PhaseChange, readonly Sale['phase'][]>> = {
  open: ['scheduled'],
  pause: ['open', 'soldOut'],
  resume: ['paused'],
  close: ['scheduled', 'open', 'soldOut', 'paused'],
};

const DONE = { open: 'opened', pause: 'paused', resume: 'resumed', close: 'closed' } as const;

/** Before anything is planned or asked: a plan for what cannot be done would mislead. */
function refuseWrongPhase(change: PhaseChange, { id, name, phase }: Sale): void {
  if (MAY_CHANGE[change].includes(phase)) return;
  throw new FixableError({
    what:
      phase === PHASE_AFTER[change]
        ? `Sale ${id} “${name}” is ${phase} already`
        : `Sale ${id} “${name}” is ${phase} and cannot be ${DONE[change]}`,
    why: `${change} needs it to be ${MAY_CHANGE[change].filter((one) => one !== 'soldOut').join(', ')}`,
    fix:
      phase === 'closed'
        ? `A closed sale stays closed: make a new one. Who closed it: fest sale history ${id}`
        : `Nothing was changed. Who changed it last: fest sale history ${id}`,
    exitCode: EXIT.refused,
    problemCode: 'wrong_phase',
  });
}
