/** Tables of a load test's page: attacks, counts, processors, and what was run. Pure. */
import type { AttackResult, BenchResult } from '@fest/loadtest/bench/result';
import { cpuShares, microsecondsPerRequest, serversOwn } from '../commands/bench/cpu-shares.ts';
import { describeStages } from '../commands/bench/load-size.ts';
import { isSameMachine } from '../commands/bench/place.ts';
import { escaped, grouped, moment, percent } from '../html-page/html.ts';
import { type Cell, number, renderTable, text } from '../html-page/table.ts';
import { formatBytes } from '../tui/numbers.ts';
import { code, fault, numeric, pill } from './cells.ts';
import { byCount, processors, UNKNOWN } from './figures.ts';

/** Empty when nobody attacked. */
export function renderAttacks({ attacks }: BenchResult): string {
  if (attacks.length === 0) return '';
  const isTold = attacks.some(({ undecided }) => undecided !== undefined);
  const rows = attacks.map((attack) => [
    text(attack.attack),
    number(grouped(attack.tries)),
    fault(attack.successes),
    ...(isTold ? [number(attack.undecided === undefined ? UNKNOWN : grouped(attack.undecided))] : []),
    attackPill(attack),
  ]);
  return renderTable({
    caption: 'Attacks',
    note: isTold
      ? 'each has to be refused every time; undecided: the answer told neither'
      : 'each has to be refused every time',
    columns: ['attack', numeric('tried'), numeric('succeeded'), ...(isTold ? [numeric('undecided')] : []), ''],
    rows,
  });
}

function attackPill({ tries, successes, undecided = 0 }: AttackResult): Cell {
  if (successes > 0) return pill('SUCCEEDED', 'failed');
  if (tries === 0) return pill('not tried', 'partial');
  return undecided >= tries ? pill('undecided', 'partial') : pill('refused', 'passed');
}

export function renderCounts(caption: string, head: string, counts: Readonly<Record<string, number>>): string {
  const found = byCount(counts).filter(([, count]) => count > 0);
  const most = found[0]?.[1] ?? 1;
  const rows = found.map(([name, count]) => [
    code(name),
    number(grouped(count)),
    { html: `<span class="bar" style="width:${((100 * count) / most).toFixed(1)}%"></span>`, name: 'bars' },
  ]);
  const none = [[text('none'), number('0'), text('')]];
  return renderTable({ caption, columns: [head, numeric('count'), ''], rows: rows.length === 0 ? none : rows });
}

export function renderProcessors({ cpu, totals, timeline, target }: BenchResult): string {
  const perRequest = (used: number): string => {
    const found = microsecondsPerRequest(used, totals);
    return found === null ? UNKNOWN : grouped(found);
  };
  const rows = cpuShares(cpu).map(({ kind, name, processors: used }) => [
    kind === 'generator' ? { html: `<b>${escaped(name)}</b>` } : text(name),
    number(processors(used)),
    number(cpu.processors > 0 ? percent(used / cpu.processors) : UNKNOWN),
    number(kind === 'idle' || kind === 'stolen' ? '' : perRequest(used)),
  ]);
  const none = [text('not measured'), number(''), number(''), number('')];
  const own = serversOwn(timeline);
  const said =
    own === null
      ? []
      : [
          [
            text('servers (their own figure)'),
            number(processors(own.processors)),
            number(''),
            number(perRequest(own.processors)),
          ],
        ];
  const memory = own === null ? [] : [`the servers had ${formatBytes(own.memoryBytes)} of memory at most`];
  return renderTable({
    caption: isSameMachine(target) ? 'Processors' : 'Processors of k6’s machine',
    note: ['average of the run', ...memory].join('; '),
    columns: ['', numeric('processors'), numeric('of the machine'), numeric('µs a request')],
    rows: [...(rows.length === 0 ? [none] : rows), ...said],
  });
}

type Fact = readonly [name: string, value: string];

function renderFacts(caption: string, facts: readonly Fact[]): string {
  return renderTable({ caption, columns: ['', ''], rows: facts.map(([name, value]) => [text(name), text(value)]) });
}

export function renderConfig({ config, scenario, profile }: BenchResult): string {
  const { admission } = config;
  return renderFacts('What was run', [
    ['Scenario and profile', `${scenario}, ${profile}`],
    ['Load', describeStages(config.load)],
    ['Sale', `${grouped(config.capacity)} tickets, at most ${grouped(config.limitPerBuyer)} for each buyer`],
    [
      'Admission',
      `${admission.mode}, ${grouped(admission.perSecond)} a second, ${grouped(admission.maxActive)} places inside`,
    ],
    ['Waiting before it began', grouped(config.waitersBeforehand)],
    [
      'Never hold, never pay',
      `${percent(config.neverHoldShare)} of the admitted, ${percent(config.neverPayShare)} of those with a hold`,
    ],
    ['A payment takes', config.gatewayMs === null ? 'not known' : `${grouped(config.gatewayMs)} ms (simulated)`],
    ...gatewayFacts(config.gateway),
    ['Seed', config.seed],
  ]);
}

function gatewayFacts(gateway: BenchResult['config']['gateway']): readonly Fact[] {
  if (gateway === null || gateway === undefined) return [];
  const { latencySigma, declineShare, timeoutShare, unknownShare } = gateway;
  const words = `${percent(declineShare)} declined, ${percent(timeoutShare)} not answered, ${percent(unknownShare)} failed half-way; sigma ${latencySigma}`;
  return [['Of payments', words]];
}

export function renderVersions({ fest, k6, target, machine, startedAt, endedAt }: BenchResult): string {
  const changed = fest.dirty === true ? ', with changes that are not committed' : '';
  return renderFacts('Where, and with what', [
    ['When (UTC)', `${moment(startedAt)} to ${moment(endedAt)}`],
    ['fest', `${fest.version}, revision ${fest.revision ?? 'not known'}${changed}`],
    ['k6', `${k6.version} (${k6.origin}: ${k6.path})`],
    ['Servers', `${target.servers}: ${target.baseUrls.join(', ')}`],
    ['Redis', target.redis ?? 'not known'],
    ['MySQL', target.mysql ?? 'not known'],
    ['Machine of k6', `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}`],
    ['Node', machine.node],
    ['File system of the order log', machine.fileSystem ?? 'not known'],
  ]);
}
