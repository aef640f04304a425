/** What an operator may change from the screen: from what to what, what buyers feel of it, and the request that does it. */
import type { LiveSaleReport } from '@fest/server/contract/operations';
import { pathOf } from '@fest/server/contract/paths';
import type { AdmissionInput } from '@fest/server/contract/schemas';
import { formatCount, formatSpan } from '../../tui/numbers.ts';
import { phaseOf } from './sale-columns.ts';
import type { Change } from './typed-command.ts';

export interface Plan {
  readonly change: Change;
  readonly saleId: number;
  readonly saleName: string;
  /** `Pause sale 7`. */
  readonly title: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** What buyers feel, a sentence each. */
  readonly effects: readonly string[];
  /** What has to be typed; absent where it can be undone. */
  readonly confirm?: readonly string[];
  readonly request: {
    readonly method: 'POST' | 'PUT';
    readonly path: string;
    readonly body?: AdmissionInput;
  };
}

export type Planned =
  | { readonly status: 'planned'; readonly plan: Plan }
  | { readonly status: 'refused'; readonly why: string };

export function planChange(change: Change, sale: LiveSaleReport): Planned {
  switch (change.kind) {
    case 'pause':
      if (sale.phase !== 'open' && sale.phase !== 'soldOut') return refuse(`only an open sale can be paused`, sale);
      return planned(planPause(change, sale));
    case 'resume':
      if (sale.phase !== 'paused') return refuse('only a paused sale can be resumed', sale);
      return planned(planResume(change, sale));
    case 'close':
      if (sale.phase === 'closed') return refuse('it cannot be closed twice', sale);
      return planned(planClose(change, sale));
    case 'rate':
      if (change.perSecond === sale.perSecond)
        return refuse(`its rate is ${formatCount(sale.perSecond)} already`, sale);
      return planned(planRate(change, sale, change.perSecond));
    case 'maxActive':
      if (change.maxActive === sale.maxActive)
        return refuse(`its maxActive is ${formatCount(sale.maxActive)} already`, sale);
      return planned(planMaxActive(change, sale, change.maxActive));
  }
}

function planPause(change: Change, sale: LiveSaleReport): Plan {
  return {
    ...phasePlan(change, sale, 'Pause', 'paused', 'salePause'),
    effects: [
      `${people(sale.waiting, 'waits', 'wait')} and nobody is admitted any more, until it is resumed.`,
      `${people(sale.active, 'is', 'are')} inside: they can hold nothing new. Payments under way are finished.`,
    ],
  };
}

function planResume(change: Change, sale: LiveSaleReport): Plan {
  return {
    ...phasePlan(change, sale, 'Resume', 'open', 'saleResume'),
    effects: [`${people(sale.waiting, 'waits', 'wait')}: they are admitted again, ${describeRate(sale)}.`],
  };
}

function planClose(change: Change, sale: LiveSaleReport): Plan {
  const unsold = sale.available + sale.held;
  return {
    ...phasePlan(change, sale, 'Close', 'closed', 'saleClose'),
    effects: [
      `It is over for good: ${people(sale.waiting, 'waits', 'wait')} and are sent away.`,
      `${formatCount(unsold)} of ${formatCount(sale.capacity)} tickets stay unsold. It cannot be opened again.`,
    ],
    confirm: [sale.name, String(sale.saleId)],
  };
}

function planRate(change: Change, sale: LiveSaleReport, perSecond: number): Plan {
  return {
    ...admissionPlan(change, sale, { mode: sale.mode, perSecond }),
    what: sale.mode === 'auto' ? 'rate, as an upper bound (mode auto)' : 'rate (mode fixed)',
    from: `${formatCount(sale.perSecond)}/s`,
    to: `${formatCount(perSecond)}/s`,
    effects: [
      perSecond === 0
        ? `${people(sale.waiting, 'waits', 'wait')}: nobody is admitted while the rate is 0.`
        : `${people(sale.waiting, 'waits', 'wait')}: by the rate alone the last is admitted in ${waitAt(sale, perSecond)}, ` +
          `instead of ${waitAt(sale, sale.perSecond)}.`,
      ...(perSecond > sale.perSecond ? ['More buyers at once come in: servers and payments get more to do.'] : []),
    ],
  };
}

function planMaxActive(change: Change, sale: LiveSaleReport, maxActive: number): Plan {
  const over = sale.active - maxActive;
  return {
    ...admissionPlan(change, sale, { mode: sale.mode, maxActive }),
    what: 'maxActive, buyers inside at once',
    from: formatCount(sale.maxActive),
    to: formatCount(maxActive),
    effects: [
      over > 0
        ? `${formatCount(sale.active)} are inside. None is sent away; the next is admitted when ${formatCount(over)} have left.`
        : `${formatCount(sale.active)} are inside: there is room for ${formatCount(-over)} more.`,
    ],
  };
}

function phasePlan(
  change: Change,
  sale: LiveSaleReport,
  verb: string,
  to: string,
  route: 'salePause' | 'saleResume' | 'saleClose',
): Omit<Plan, 'effects'> {
  return {
    change,
    ...namesOf(sale),
    title: `${verb} sale ${sale.saleId}`,
    what: 'phase',
    from: phaseOf(sale),
    to,
    request: { method: 'POST', path: pathOf(route, { saleId: sale.saleId }) },
  };
}

function admissionPlan(
  change: Change,
  sale: LiveSaleReport,
  body: AdmissionInput,
): Pick<Plan, 'change' | 'saleId' | 'saleName' | 'title' | 'request'> {
  return {
    change,
    ...namesOf(sale),
    title: `Change the admission of sale ${sale.saleId}`,
    request: { method: 'PUT', path: pathOf('saleAdmission', { saleId: sale.saleId }), body },
  };
}

function namesOf({ saleId, name }: LiveSaleReport): Pick<Plan, 'saleId' | 'saleName'> {
  return { saleId, saleName: name };
}

function describeRate({ perSecond, mode, maxActive }: LiveSaleReport): string {
  const most = `at most ${formatCount(perSecond)}/s and ${formatCount(maxActive)} inside at once`;
  return mode === 'auto' ? `${most}, fewer where servers need it` : most;
}

function waitAt({ waiting }: LiveSaleReport, perSecond: number): string {
  return perSecond === 0 ? 'never' : formatSpan((waiting / perSecond) * 1_000);
}

/** `12,000 buyers wait`. */
function people(count: number, one: string, many: string): string {
  return count === 1 ? `1 buyer ${one}` : `${formatCount(count)} buyers ${many}`;
}

function planned(plan: Plan): Planned {
  return { status: 'planned', plan };
}

function refuse(why: string, sale: LiveSaleReport): Planned {
  return { status: 'refused', why: `sale ${sale.saleId} is ${phaseOf(sale)}: ${why}` };
}
