/** A chart with its title and a legend. Pure. */
import type { ChartOptions } from './chart.ts';
import { escaped, short } from './html.ts';
import { renderChart } from './svg-chart.ts';

export type FigureOptions = ChartOptions & { readonly below?: string };

export function renderFigure(options: FigureOptions): string {
  const { title, unit, series, below = '', format = short } = options;
  const legend = series
    .map(({ name, colour, points }) => {
      const values = points.flatMap(({ value }) => value ?? []);
      const most = values.reduce((a, b) => Math.max(a, b), 0);
      const words = values.length === 0 ? 'not known' : `at most ${format(most)}`;
      return `<span><i class="c${colour}"></i>${escaped(name)}, ${escaped(words)}</span>`;
    })
    .join('');
  return `<figure><figcaption><h3>${escaped(title)} <small>${escaped(unit)}</small></h3><span class="legend">${legend}</span></figcaption>\n${renderChart(options)}\n${below}</figure>`;
}
