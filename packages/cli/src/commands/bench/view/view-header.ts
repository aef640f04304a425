/** The top of the screen: which run, how far it is, what is wrong; and its bottom line. Pure. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import { cleanText } from '../../../tui/cells.ts';
import { bar } from '../../../tui/chart.ts';
import { fitLine, type Line, span, spread } from '../../../tui/line.ts';
import { formatClock, formatElapsed, formatShare } from '../../../tui/numbers.ts';
import type { View } from './view-state.ts';
import { warningsOf } from './warnings.ts';

/** Three lines: the bar, how far it is, and what is wrong; more where that does not fit on one. */
export function headerLines(view: View): Line[] {
  return [barLine(view), progressLine(view), ...warningLines(view)];
}

function barLine({ state, theme, columns, nowMs }: View): Line {
  const { progress } = state;
  const run = progress === undefined ? 'starting' : `${nameOf(progress)}  ${progress.stage}`;
  return spread(
    [span(` fest bench  ${run}`, 'bar')],
    [span(`  ${formatClock(nowMs)} UTC `, 'bar')],
    columns,
    'bar',
    theme.cut,
  );
}

function nameOf({ title, scenario, profile }: BenchProgress): string {
  return title ?? `${scenario} ${profile}`;
}

const BAR_CELLS_MAX = 60;

function progressLine({ state, theme, columns }: View): Line {
  const { progress } = state;
  if (progress === undefined) return fitLine([], columns);
  const { elapsedMs, plannedMs, stage } = progress;
  const doing = span(cleanText(` ${progress.doing}`, theme.ascii), 'dim');
  const isLoad = stage === 'running' || stage === 'ending';
  if (!isLoad || plannedMs === null || plannedMs <= 0) return fitLine([doing], columns, 'plain', theme.cut);
  // Those who came last may take their time after the load: all of it is over only when the stage is.
  const share = Math.min(stage === 'running' ? 0.999 : 1, elapsedMs / plannedMs);
  const cells = Math.min(BAR_CELLS_MAX, Math.floor(columns / 3));
  const words = ` ${formatElapsed(elapsedMs)} of ${formatElapsed(plannedMs)}  ${formatShare(share)} `;
  return fitLine([span(' '), ...bar(share, cells, theme), span(words, 'bold'), doing], columns, 'plain', theme.cut);
}

/** No warning hides another: what does not fit beside them begins a line. */
function warningLines({ state, theme, columns }: View): Line[] {
  const warnings = state.progress === undefined ? [] : warningsOf(state.progress);
  if (warnings.length === 0) return [fitLine([], columns)];
  const texts: string[] = [];
  for (const warning of warnings) {
    const last = texts.at(-1);
    const joined = last === undefined ? ` ! ${warning}` : `${last} ${warning}`;
    if (last === undefined || joined.length > columns) texts.push(` ! ${warning}`);
    else texts[texts.length - 1] = joined;
  }
  return texts.map((text) => fitLine([span(cleanText(text, theme.ascii), 'bad')], columns, 'plain', theme.cut));
}

type Stage = BenchProgress['stage'];

/** What pressing it for the first time does. */
const FIRST_PRESS: Readonly<Record<Stage, string>> = {
  preparing: ' stops; nothing is measured yet',
  running: ' ends the load; what was measured is kept, and audited',
  ending: ' pressed twice leaves at once',
  auditing: ' pressed twice leaves without the audit; what was measured is kept',
};

/** And what comes of that, and of a second time. */
const SECOND_PRESS: Readonly<Record<Stage, string>> = {
  preparing: 'Stopping; nothing was measured yet. Press again to leave at once.',
  running: 'Ending k6, then the audit. Press again to leave at once, without a result.',
  ending: 'Ending. What was measured is kept when k6 has ended. Press again to leave now.',
  auditing: 'What was measured is kept. Press again to leave without the audit.',
};

export function footerLine({ state, columns, theme }: View): Line {
  const stage = state.progress?.stage ?? 'preparing';
  if (state.quitAtMs !== undefined)
    return fitLine([span(` ${SECOND_PRESS[stage]}`, 'warning')], columns, 'plain', theme.cut);
  const hint = [span(' q', 'bold'), span(' or ', 'dim'), span('Ctrl-C', 'bold'), span(FIRST_PRESS[stage], 'dim')];
  return fitLine(hint, columns, 'plain', theme.cut);
}
