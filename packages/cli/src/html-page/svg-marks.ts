/** What happened, above a chart and through it. Pure. */
import { BOTTOM, type ChartMark, LEFT, RIGHT, round, type Scales, TOP } from './chart.ts';
import { escaped } from './html.ts';

/** A label is so wide: marks that are closer share one. */
const LABEL_WIDTH = 36;

export function drawMarks(marks: readonly ChartMark[], { x, width, height }: Scales): readonly string[] {
  const inside = marks
    .filter(({ atMs }) => x(atMs) >= LEFT - 0.5 && x(atMs) <= width - RIGHT + 0.5)
    .toSorted((a, b) => a.atMs - b.atMs);
  const groups: { readonly at: number; readonly members: ChartMark[] }[] = [];
  for (const mark of inside) {
    const last = groups.at(-1);
    // A label at the edge stands a little inside.
    const at = Math.max(x(mark.atMs), LEFT + LABEL_WIDTH / 2 - 4);
    if (last !== undefined && at - last.at < LABEL_WIDTH) last.members.push(mark);
    else groups.push({ at, members: [mark] });
  }
  const lines = inside.map(
    ({ atMs, kind }) =>
      `<line class="mark ${kind}" x1="${round(x(atMs))}" x2="${round(x(atMs))}" y1="${TOP - 4}" y2="${height - BOTTOM}"/>`,
  );
  return [...lines, ...groups.map(({ at, members }) => drawLabel(at, members, width))];
}

function drawLabel(at: number, members: readonly ChartMark[], chartWidth: number): string {
  const [first] = members;
  if (first === undefined) return '';
  const kind = members.some((mark) => mark.kind === 'incident') ? 'incident' : 'action';
  const label = members.length === 1 ? first.label : `${first.label}+${members.length - 1}`;
  const title = members.map((mark) => `${mark.label}: ${mark.title}`).join('\n');
  const width = 9 + label.length * 6.4;
  const left = Math.min(Math.max(LEFT - 4, at - width / 2), chartWidth - RIGHT - width);
  const middle = left + width / 2;
  return `<g class="flag ${kind}"><title>${title.split('\n').map(escaped).join('\n')}</title><rect x="${round(left)}" y="5" width="${round(width)}" height="15" rx="7.5"/><text x="${round(middle)}" y="16" text-anchor="middle">${escaped(label)}</text></g>`;
}
