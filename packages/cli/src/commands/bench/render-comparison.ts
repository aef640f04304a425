/** A comparison for people. Pure. */
import { figure, UNKNOWN } from '../../bench-page/figures.ts';
import { printable } from '../../render/printable.ts';
import { createStyle } from '../../render/style.ts';
import { renderTable } from '../../render/table.ts';
import type { BenchComparison, ComparedFigure, ComparedRun } from './compare-results.ts';

/** Without colour there is no escape code in it. */
export function renderComparison(comparison: BenchComparison, colour: boolean): string {
  const style = createStyle(colour);
  const { a, b, rates, latencies, latenciesLeftOut, cpu, noiseRuns, notes } = comparison;
  const tables = [
    renderFigures('rates', rates, noiseRuns, colour),
    latencies.length === 0 ? '' : renderFigures('latencies', latencies, noiseRuns, colour),
    cpu.length === 0 ? '' : renderFigures('processor time', cpu, noiseRuns, colour),
  ];
  const words = [
    ...(latenciesLeftOut === null ? [] : [style.yellow(`Latencies are left out. ${printable(latenciesLeftOut)}`)]),
    noiseWords(noiseRuns),
    ...notes.map(printable),
  ];
  return [
    `A  ${describeRun(a)}\nB  ${describeRun(b)}\n`,
    ...tables.filter((table) => table !== ''),
    words.map((line) => `- ${line}\n`).join(''),
  ].join('\n');
}

function describeRun({ id, startedAt, verdict, revision, dirty }: ComparedRun): string {
  const changed = dirty === true ? ' and uncommitted changes' : '';
  return printable(`${id}  ${startedAt}  ${verdict}  revision ${revision ?? 'not known'}${changed}`);
}

function noiseWords(runs: number): string {
  if (runs === 0) {
    return 'One pair of runs is no interval: how far equal runs are apart is not known. Run each again, in turns, and compare then.';
  }
  return `One pair of runs is no interval. “Noise” is how far apart equal ones of ${runs} runs here are, largest ÷ smallest: a ratio inside it says nothing, one outside it may still be chance when the runs are few.`;
}

function renderFigures(title: string, figures: readonly ComparedFigure[], runs: number, colour: boolean): string {
  const right = { align: 'right' } as const;
  const columns = [
    { title },
    { title: 'unit' },
    { title: 'a', ...right },
    { title: 'b', ...right },
    { title: 'b ÷ a', ...right },
    ...(runs === 0 ? [] : [{ title: 'noise', ...right }, { title: '' }]),
  ];
  const rows = figures.map(({ name, unit, a, b, ratio, noise, withinNoise }) => [
    printable(name),
    unit,
    figure(a),
    figure(b),
    ratio === null ? UNKNOWN : ratio.toFixed(2),
    ...(runs === 0
      ? []
      : [noise === null ? UNKNOWN : `× ${noise.toFixed(2)}`, withinNoise === true ? 'within noise' : '']),
  ]);
  return renderTable(columns, rows, colour);
}
