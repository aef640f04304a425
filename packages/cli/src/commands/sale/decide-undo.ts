/** What takes the last change of an operator back. Pure. */
import type { AdmissionState, SaleAction } from '@fest/server/contract/operations';
import type { PhaseChange } from './operator-api.ts';
import type { Admission } from './plan.ts';

export type Undo =
  | { readonly kind: 'phase'; readonly action: SaleAction; readonly change: PhaseChange }
  | { readonly kind: 'admission'; readonly action: SaleAction; readonly to: Admission }
  | { readonly kind: 'impossible'; readonly why: string; readonly fix: string };

function impossible(why: string, fix: string): Undo {
  return { kind: 'impossible', why, fix };
}

/** @param actions newest first */
export function decideUndo(actions: readonly SaleAction[], state: AdmissionState): Undo {
  const history = `fest sale history ${state.saleId}`;
  // What the sale's own times did is nobody's to take back.
  const action = actions.find(({ operatorId }) => operatorId !== null);
  if (action === undefined) return impossible('no operator has changed this sale lately', `See: ${history}`);
  if (action.action === 'phase') return undoPhase(action, state);
  if (action.action === 'admission') return undoAdmission(action, state, history);
  return impossible(`a ${action.action} cannot be undone`, `See what was done: ${history}`);
}

function undoPhase(action: SaleAction, { saleId, phase }: AdmissionState): Undo {
  const to = String(action.to.phase);
  const from = String(action.from?.phase);
  if (to === 'closed') {
    return impossible(
      'a closing is for good: everybody who waited was sent away',
      'Make another sale for what is left.',
    );
  }
  // Sold out is an open sale with nothing available.
  const present = phase === 'soldOut' ? 'open' : phase;
  if (present !== to) {
    return impossible(
      `the last change made the sale ${to}, and it is ${phase} now`,
      `See: fest sale history ${saleId}`,
    );
  }
  if (to === 'paused') return { kind: 'phase', action, change: 'resume' };
  if (from === 'paused') return { kind: 'phase', action, change: 'pause' };
  return impossible('an opened sale cannot be scheduled again', `To stop it for a while: fest sale pause ${saleId}`);
}

function undoAdmission(action: SaleAction, state: AdmissionState, history: string): Undo {
  const from = parseAdmission(action.from);
  const to = parseAdmission(action.to);
  const fix = `Set it: fest sale rate ${state.saleId} --per-second … (see ${history})`;
  if (from === undefined) return impossible('what was before was not recorded by the server that did it', fix);
  const isAsLeft = to?.mode === state.mode && to.perSecond === state.perSecond && to.maxActive === state.maxActive;
  if (!isAsLeft) return impossible('the admission is another one now than the last change has made it', fix);
  return { kind: 'admission', action, to: from };
}

function parseAdmission(settings: SaleAction['to'] | null): Admission | undefined {
  if (settings === null) return undefined;
  const { mode, perSecond, maxActive } = settings;
  if (mode !== 'auto' && mode !== 'fixed') return undefined;
  return typeof perSecond === 'number' && typeof maxActive === 'number' ? { mode, perSecond, maxActive } : undefined;
}
