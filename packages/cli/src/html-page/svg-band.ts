/** A band of states on the time axis of a chart. Pure. */
import { type ChartOptions, type ChartSpan, LEFT, RIGHT, round, WIDTHS } from './chart.ts';
import { escaped } from './html.ts';

export interface StateSpan extends ChartSpan {
  readonly name: string;
  /** Of the page's. */
  readonly colour: number;
}

const BAND_HEIGHT = 22;

/** What was the case when, on the same time axis. */
export function renderBand(
  options: Pick<ChartOptions, 'title' | 'fromMs' | 'toMs'> & { readonly spans: readonly StateSpan[] },
): string {
  const { title, fromMs, toMs, spans } = options;
  const span = Math.max(1, toMs - fromMs);
  const x = (atMs: number): number => LEFT + ((atMs - fromMs) / span) * (WIDTHS.whole - LEFT - RIGHT);
  const drawn = spans.map(({ fromMs: begin, toMs: end, name, colour }) => {
    const width = Math.max(1, x(end) - x(begin));
    const fits = width > 14 + name.length * 6.2;
    const label = fits ? `<text x="${round(x(begin) + 7)}" y="15">${escaped(name)}</text>` : '';
    return `<g class="state s${colour}"><title>${escaped(name)}</title><rect x="${round(x(begin))}" y="1" width="${round(width)}" height="${BAND_HEIGHT - 2}" rx="2"/>${label}</g>`;
  });
  return `<svg class="chart band" viewBox="0 0 ${WIDTHS.whole} ${BAND_HEIGHT}" role="img" aria-label="${escaped(title)}">\n<text class="tick" x="${LEFT - 8}" y="15" text-anchor="end">${escaped(title)}</text>${drawn.join('')}</svg>`;
}
