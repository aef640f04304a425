/** The top of the screen: which run, how far it is, what is wrong; and its bottom line. Pure. */
import type { BenchProgress } from '@fest/loadtest/bench/result';
import { cleanText } from '../../../tui/cells.ts';
import { bar } from '../../../tui/chart.ts';
import { fitLine, type Line, span, spread } from '../../../tui/line.ts';
import { formatClock, formatElapsed, formatShare } from '../../../tui/numbers.ts';
import type { View } from './view-state.ts';
import { warningsOf } from './warnings.ts';

/** Three lines: the bar, how far it is, and what is wrong. */
export function headerLines(view: View): Line[] {
  return [barLine(view), progressLine(view), warningLine(view)];
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

function warningLine({ state, theme, columns }: View): Line {
  const warnings = state.progress === undefined ? [] : warningsOf(state.progress);
  if (warnings.length === 0) return fitLine([], columns);
  return fitLine([span(` ! ${cleanText(warnings.join(' '), theme.ascii)}`, 'bad')], columns, 'plain', theme.cut);
}

export function footerLine({ state, columns, theme }: View): Line {
  if (state.quitAtMs !== undefined) {
    const words = ' Ending k6 cleanly; what was measured is kept. Press again to leave at once.';
    return fitLine([span(words, 'warning')], columns, 'plain', theme.cut);
  }
  const hint = [span(' q', 'bold'), span(' or ', 'dim'), span('Ctrl-C', 'bold'), span(' ends the run cleanly', 'dim')];
  return fitLine(hint, columns, 'plain', theme.cut);
}
