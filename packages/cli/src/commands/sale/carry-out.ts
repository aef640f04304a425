/** Every change of a sale: the plan, the question, then the change. */
import type { Context, GlobalOptions } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT, type ExitCode } from '../../exit-codes.ts';
import { type ChangedPlace, confirmModerate, confirmSevere, requireModerate, requireSevere } from '../../prompt.ts';
import { writeDocument } from '../../render/document.ts';
import type { Plan } from './plan.ts';
import { renderPlan } from './render-plan.ts';

export interface ChangeOptions extends GlobalOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** How somebody says that a change is meant. */
export type Consent =
  | { readonly kind: 'moderate'; readonly yes: boolean }
  /** Cannot be undone. `accepted`: what may be typed. */
  | { readonly kind: 'severe'; readonly accepted: readonly string[]; readonly confirm: string | undefined };

/** Fails before anything is asked of a server when nobody could consent: there is no terminal and no flag. */
export function requireConsent(context: Context, effect: string, consent: Consent): void {
  if (consent.kind === 'moderate') requireModerate(context, { effect, yes: consent.yes });
  else requireSevere(context, { effect, ...consent });
}

export interface PlannedChange extends ChangedPlace {
  readonly title: string;
  readonly plan: Plan;
  readonly effect: string;
  readonly consent: Consent;
  /** Whether everything is still as the plan was made from. */
  readonly isAsPlanned: () => Promise<boolean>;
}

/** @param change makes the change and tells of it */
export async function carryOut(
  context: Context,
  options: ChangeOptions,
  { title, plan, effect, consent, environment, isAsPlanned }: PlannedChange,
  change: () => Promise<void>,
): Promise<ExitCode> {
  const text = renderPlan(title, plan);
  if (options.dryRun === true) {
    if (options.json === true) writeDocument(context.stdout, 'fest.sale-plan/1', { title, effect, plan });
    else context.stdout.write(`${text}${effect}\nNothing was changed: this was --dry-run.\n`);
    return EXIT.done;
  }
  context.stderr.write(text);
  if (consent.kind === 'moderate') await confirmModerate(context, { effect, yes: consent.yes, environment });
  else await confirmSevere(context, { effect, ...consent, environment });
  // Somebody may have read the question for minutes, and another operator been quicker.
  if (wasAsked(consent) && !(await isAsPlanned())) throw changedMeanwhile();
  await change();
  return EXIT.done;
}

function wasAsked(consent: Consent): boolean {
  return consent.kind === 'moderate' ? !consent.yes : consent.confirm === undefined;
}

function changedMeanwhile(): FixableError {
  return new FixableError({
    what: 'The sale has changed while you were asked; nothing was done',
    why: 'the plan you agreed to was made for what was before',
    fix: 'Run it again, and read its plan. Who changed what: fest sale history <id>',
    exitCode: EXIT.refused,
  });
}
