/** The report of a load test as one HTML page that needs nothing else: no network, no scripts. Pure. */
import type { BenchResult } from '@fest/loadtest/bench/result';
import { describePlace, isSameMachine } from '../commands/bench/place.ts';
import { scenarioWords } from '../commands/bench/scenario-words.ts';
import { renderDocument } from '../html-page/document.ts';
import { duration, escaped, grouped, moment } from '../html-page/html.ts';
import { renderCards } from './cards.ts';
import { renderCharts } from './charts.ts';
import { renderEndpoints, renderThresholds, renderWaits } from './latency-tables.ts';
import { BENCH_STYLE } from './style.ts';
import { renderAttacks, renderConfig, renderCounts, renderProcessors, renderVersions } from './tables.ts';
import { auditLine, faultWords, groupFaults, latencyLine, latencyNote, runLine, verdictLine } from './words.ts';

export function renderBenchPage(result: BenchResult): string {
  const body = `${renderHeader(result)}
${renderVerdict(result)}
<section aria-label="Totals">${renderCards(result)}</section>
<section aria-labelledby="timeline"><h2 id="timeline">Over time</h2>
${renderTimeline(result)}</section>
<section aria-labelledby="endpoints"><h2 id="endpoints">Answers</h2>
<div class="dense">${renderEndpoints(result)}
${renderWaits(result)}</div></section>
<section aria-labelledby="bounds"><h2 id="bounds">Bounds${result.attacks.length === 0 ? '' : ' and attacks'}</h2>
<div class="dense">${renderAttacks(result)}
${renderThresholds(result)}</div></section>
<section aria-labelledby="counts"><h2 id="counts">Refusals and visits</h2>
<div class="two"><div>${renderCounts('Refused, as belongs to a sale', 'problem code', result.totals.refused)}</div><div>${renderCounts('How visits ended', 'outcome', result.totals.outcomes)}</div></div></section>
<section aria-labelledby="machine"><h2 id="machine">Machine and settings</h2>
${renderProcessors(result)}
<div class="facts">${renderConfig(result)}${renderVersions(result)}</div></section>
<footer>${renderFooter(result)}</footer>`;
  return renderDocument({
    title: `${result.scenario}, ${result.profile}: load test ${result.id}`,
    body,
    style: BENCH_STYLE,
  });
}

function renderHeader({ id, scenario, profile, startedAt, totals, verdict, interrupted, target }: BenchResult): string {
  const words = scenarioWords(scenario);
  return `<header>
<p class="festival">Load test${words === undefined ? '' : `: ${escaped(words)}`}</p>
<h1>${escaped(scenario)}, ${escaped(profile)}</h1>
<p><span class="pill ${verdict}">${escaped(verdict)}</span>${interrupted ? '<span class="pill partial">ended early</span>' : ''}</p>
<p class="mute">${escaped(id)}. ${escaped(moment(startedAt))} UTC, ${escaped(duration(totals.seconds))}; ${escaped(grouped(target.servers))} server${target.servers === 1 ? '' : 's'}, ${escaped(describePlace(target))}.</p>
</header>`;
}

/** First of all: did it hold, why not, and what may be quoted. */
function renderVerdict(result: BenchResult): string {
  const faults = groupFaults(result.faults).map(({ code, messages }) => {
    const { title, next } = faultWords(code);
    const items = messages.map((message) => `<li>${escaped(message)}</li>`).join('');
    const advice = next === '' ? '' : `<p class="note">${escaped(next)}</p>`;
    return `<h3>${escaped(title)} <small><code>${escaped(code)}</code></small></h3><ul>${items}</ul>${advice}`;
  });
  return `<section class="verdict ${result.verdict}" aria-labelledby="verdict"><h2 id="verdict">${escaped(verdictLine(result))}</h2>
<p>${escaped(runLine(result))}</p>
${faults.join('\n')}
<p>${escaped(latencyLine(result))}</p>
<p>${escaped(auditLine(result.audit))}</p>
${renderNotes(result)}</section>`;
}

/** What was otherwise than the scenario wants it: it may be why. */
function renderNotes({ notes }: BenchResult): string {
  if (notes.length === 0) return '';
  return `<h3>Otherwise than the scenario wants it</h3><ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>\n`;
}

function renderTimeline(result: BenchResult): string {
  const charts = renderCharts(result);
  if (charts === '') return '<p class="note">The run ended before its first second: there is nothing to draw.</p>';
  const doubt = latencyNote(result);
  const notes = [
    'Times are counted from the beginning of the load.',
    doubt === '' ? '' : `Curves of time are hints: ${doubt.replace(/: in brackets$/, '')}.`,
    isSameMachine(result.target)
      ? 'k6 shares the processors with the servers: where the stack reaches the dashed line, everything waits.'
      : '',
    result.totals.dropped + result.totals.unexpected === 0
      ? ''
      : 'Red marks: D where drops begin, E where unexpected answers do; they are listed below the first chart.',
  ];
  return `<p class="note">${escaped(notes.filter((note) => note !== '').join(' '))}</p>\n${charts}`;
}

function renderFooter({ format, scenario, target }: BenchResult): string {
  const left = isSameMachine(target)
    ? 'TLS, networks and separate machines are left out'
    : 'The figures have the way to the servers in them';
  return `Made by <code>fest bench ${escaped(scenario)}</code> from <code>${escaped(format)}</code>. Times are k6’s, from sending a request to the end of its answer, on a connection that stands. A visit of an open load begins when it is due, or is counted as dropped. ${left}. <code>fest bench compare</code> holds two runs against each other.`;
}
