/** The ratios with their intervals and targets as a drawing. Pure. */
import type { Ratio, RowSummary, Summary } from './summary.ts';

const WIDTH = 860;
const LEFT = 190;
/** The values stand in a column of their own, clear of bars and targets. */
const RIGHT = 70;
const TOP = 70;
const ROW_HEIGHT = 56;
const BOTTOM = 62;
/** The largest ratio shown; a little more than "as fast as the ceiling". */
const MAX = 1.2;

const COLOURS = {
  cpu: '#1f6f8b',
  rate: '#b5651d',
  target: '#333333',
  grid: '#dddddd',
  text: '#222222',
  mute: '#777777',
};

const xOf = (ratio: number): number => LEFT + (Math.min(Math.max(ratio, 0), MAX) / MAX) * (WIDTH - LEFT - RIGHT);
const round = (value: number): string => value.toFixed(1);
const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign] ?? sign);

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(content)}</text>`;
}

function line(from: readonly [number, number], to: readonly [number, number], attributes: string): string {
  return `<line x1="${round(from[0])}" y1="${round(from[1])}" x2="${round(to[0])}" y2="${round(to[1])}" ${attributes}/>`;
}

/** One ratio: its interval as a bar, its estimate as a dot; words where nothing is claimed. */
function mark(ratio: Ratio | undefined, y: number, colour: string): string {
  if (ratio === undefined) return '';
  const { interval, verdict } = ratio;
  if (verdict === 'tooNoisy' || verdict === 'void') {
    return text(
      xOf(0) + 6,
      y + 4,
      verdict === 'void' ? 'not claimed' : 'too noisy',
      `fill="${COLOURS.mute}" font-size="11"`,
    );
  }
  const value = interval.estimate.toFixed(2);
  return [
    line(
      [xOf(interval.low), y],
      [xOf(interval.high), y],
      `stroke="${colour}" stroke-width="6" stroke-linecap="round" opacity="0.4"`,
    ),
    `<circle cx="${round(xOf(interval.estimate))}" cy="${round(y)}" r="4.5" fill="${colour}"/>`,
    text(WIDTH - RIGHT + 22, y + 4, value, `fill="${colour}" font-size="12"`),
  ].join('\n');
}

function rowMarks({ row, byCpu, byRate }: RowSummary, index: number): string {
  const y = TOP + index * ROW_HEIGHT;
  return [
    text(
      LEFT - 14,
      y + ROW_HEIGHT / 2 + 1,
      `${row.path} ÷ ${row.ceiling}`,
      `text-anchor="end" fill="${COLOURS.text}" font-size="14"`,
    ),
    line(
      [xOf(row.target), y + 8],
      [xOf(row.target), y + ROW_HEIGHT - 8],
      `stroke="${COLOURS.target}" stroke-width="2"`,
    ),
    mark(byCpu, y + ROW_HEIGHT * 0.33, COLOURS.cpu),
    mark(byRate, y + ROW_HEIGHT * 0.67, COLOURS.rate),
  ].join('\n');
}

function legend(): string {
  const y = TOP - 20;
  const entry = (x: number, colour: string, label: string): string =>
    `<circle cx="${x}" cy="${y - 4}" r="4.5" fill="${colour}"/>${text(x + 10, y, label, `fill="${COLOURS.text}" font-size="12"`)}`;
  return [
    entry(LEFT, COLOURS.cpu, "by the server's processor time"),
    entry(LEFT + 220, COLOURS.rate, 'by units per second'),
    line([LEFT + 385, y - 11], [LEFT + 385, y + 3], `stroke="${COLOURS.target}" stroke-width="2"`),
    text(LEFT + 393, y, 'target', `fill="${COLOURS.text}" font-size="12"`),
  ].join('\n');
}

export function renderChart({ rows }: Summary, caption: string): string {
  const bottom = TOP + Math.max(1, rows.length) * ROW_HEIGHT;
  const height = bottom + BOTTOM;
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, sans-serif" role="img">
<title>How close each path comes to its ceiling</title>
<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>
${text(24, 28, 'How close each path comes to its ceiling (1 = as cheap as the ceiling; bars are 95 % intervals)', `fill="${COLOURS.text}" font-size="15" font-weight="600"`)}
${legend()}
${ticks
  .map(
    (tick) =>
      `${line([xOf(tick), TOP], [xOf(tick), bottom], `stroke="${COLOURS.grid}" stroke-width="1"`)}${text(xOf(tick), bottom + 18, tick.toFixed(1), `text-anchor="middle" fill="${COLOURS.mute}" font-size="12"`)}`,
  )
  .join('\n')}
${rows.map(rowMarks).join('\n')}
${rows.length === 0 ? text(LEFT + 6, TOP + ROW_HEIGHT / 2, 'nothing was measured', `fill="${COLOURS.mute}" font-size="13"`) : ''}
${text(24, height - 18, caption, `fill="${COLOURS.mute}" font-size="11"`)}
</svg>
`;
}
