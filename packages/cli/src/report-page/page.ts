/** A report of a sale as one HTML page that needs nothing else: no network, no scripts. Pure. */
import type { SaleReport } from '@fest/server/contract/sale-report';
import { renderDocument } from '../html-page/document.ts';
import { duration, escaped, grouped, moment } from '../html-page/html.ts';
import { count } from '../render/values.ts';
import { frameOf, renderCharts } from './charts.ts';
import {
  type Happenings,
  happeningsOf,
  renderActions,
  renderCards,
  renderFairness,
  renderIncidents,
  renderPayments,
  renderRefusals,
  renderSettings,
} from './tables.ts';

export function renderPage(report: SaleReport): string {
  const { sale } = report;
  const title = `${sale.name}, ${sale.festivalTitle}: report of the sale`;
  const happenings = happeningsOf(report);
  const body = `${renderHeader(report)}
<section aria-label="Totals">${renderCards(report)}</section>
<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
${renderTimeline(report, happenings)}</section>
<section aria-labelledby="happened"><h2 id="happened">What happened</h2>
${renderActions(happenings, report.actionsLeftOut)}
${renderIncidents(happenings, report.incidentsLeftOut)}</section>
<section aria-labelledby="fairness"><h2 id="fairness">Fairness</h2>
${renderFairness(report)}</section>
<section aria-labelledby="refused"><h2 id="refused">Refusals</h2>
${renderRefusals(report)}</section>
<section aria-labelledby="books"><h2 id="books">Payments and settings</h2>
<div class="two"><div>${renderPayments(report)}</div><div>${renderSettings(report)}</div></div></section>
<footer>${renderFooter(report)}</footer>`;
  return renderDocument({ title, body });
}

function renderHeader({ sale, partial, environment, recorded, generatedAt }: SaleReport): string {
  const place = [sale.festivalTitle, sale.venue].filter((part) => part !== '').join(' · ');
  const phase = sale.phase === 'soldOut' ? 'sold out' : (sale.phase ?? 'not known');
  const span =
    recorded.from === null || recorded.to === null
      ? 'Nothing was recorded of it.'
      : `Recorded from ${moment(recorded.from)} to ${moment(recorded.to)} UTC (${spanOf(recorded.from, recorded.to)}).`;
  return `<header>
<p class="festival">${escaped(place)}</p>
<h1>${escaped(sale.name)}</h1>
<p><span class="pill">${escaped(phase)}</span>${partial ? '<span class="pill partial">partial: the sale has not closed</span>' : ''}<span class="pill${environment === 'production' ? ' production' : ''}">${escaped(environment)}</span></p>
<p class="mute">Sale ${escaped(String(sale.id))}. ${escaped(span)} Written ${escaped(moment(generatedAt))} UTC.</p>
</header>`;
}

function spanOf(from: string, to: string): string {
  return duration((Date.parse(to) - Date.parse(from)) / 1_000);
}

function renderTimeline(report: SaleReport, { marks }: Happenings): string {
  const frame = frameOf(report, marks);
  if (frame === undefined) {
    return '<p class="note">No process has recorded this sale: it was over before servers did, or has not begun. Totals are from the archive.</p>';
  }
  const { gaps, incomplete, rows } = report.recorded;
  const missing = gaps.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
  const notes = [
    `Times are UTC. ${grouped(rows)} rows of some seconds each.`,
    'Blue marks are what operators did, red ones what went wrong; both are listed below.',
    gaps.length === 0
      ? 'There are no gaps.'
      : `In ${count(gaps.length, 'gap')} (grey, ${duration(missing / 1_000)} together) nobody recorded, and nothing is drawn.`,
    incomplete.length === 0
      ? ''
      : 'Where it is yellow Redis did not answer or the sale was being built anew, and one process told what it knew.',
  ];
  return `<p class="note">${escaped(notes.filter((note) => note !== '').join(' '))}</p>\n${renderCharts(report, frame)}`;
}

function renderFooter({ format, sale }: SaleReport): string {
  return `Made by <code>fest sale report ${escaped(String(sale.id))}</code> from <code>${escaped(format)}</code>. Orders, tickets, payments and money are those of the archive (MySQL), the line is that of Redis, timelines are what was recorded while the sale ran. <code>fest audit</code> proves the figures against the order logs.`;
}
