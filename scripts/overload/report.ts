/** The measurement as Markdown. */
import type { VisitKind } from '@fest/loadtest/generator/visitors';
import type { KindResult } from './crowd.ts';
import type { OverloadMeasurement, Phase } from './run.ts';

/** Of its processor; then the figures are the crowd's as much as the server's. */
const CROWD_SHARE_MAX = 0.95;
const WANTED_SHARE = 0.9;

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const share = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(2));
const ms = (value: number | undefined): string => (value === undefined ? '–' : whole(value));

function sum(kinds: Readonly<Record<string, KindResult>>, of: (status: number) => boolean): number {
  return Object.values(kinds)
    .flatMap(({ statuses }) => Object.entries(statuses))
    .reduce((total, [status, count]) => total + (of(Number(status)) ? count : 0), 0);
}

export const shareOfPeak = ({ crowd }: Phase, peakPerSecond: number): number =>
  crowd.orders / crowd.seconds / peakPerSecond;

/** Orders for a second of processor time of the server: what other work on the machine changes least. */
const ordersPerCpu = (ordersPerSecond: number, processors: number | undefined): number | undefined =>
  processors === undefined || processors === 0 ? undefined : ordersPerSecond / processors;

/** Of the step that made the peak. */
export function peakOrdersPerCpu({ steps, peakPerSecond }: OverloadMeasurement): number | undefined {
  const best = steps.find(({ ordersPerSecond }) => ordersPerSecond === peakPerSecond);
  return best && ordersPerCpu(best.ordersPerSecond, best.shares.server);
}

export function cpuShareOfPeak({ crowd, cpu }: Phase, measurement: OverloadMeasurement): number | undefined {
  const [now, then] = [
    ordersPerCpu(crowd.orders / crowd.seconds, cpu.processes['server-1']),
    peakOrdersPerCpu(measurement),
  ];
  return now === undefined || then === undefined ? undefined : now / then;
}

function phaseRow(phase: Phase, measurement: OverloadMeasurement): string {
  const { peakPerSecond } = measurement;
  const { factor, arrivalsPerSecond, crowd, cpu } = phase;
  const { seconds, kinds } = crowd;
  const perSecond = (count: number): string => whole(count / seconds);
  const due = Object.values(kinds).reduce((total, kind) => total + kind.due, 0);
  const both = (kind: VisitKind): string => `${ms(kinds[kind].p50Ms)} / ${ms(kinds[kind].p99Ms)}`;
  const cells = [
    `${factor} ×`,
    whole(arrivalsPerSecond),
    perSecond(due),
    perSecond(sum(kinds, (status) => status > 0 && status < 300)),
    perSecond(sum(kinds, (status) => status === 503)),
    perSecond(crowd.orders),
    share(shareOfPeak(phase, peakPerSecond)),
    share(cpuShareOfPeak(phase, measurement)),
    both('hold'),
    both('payment'),
    share(cpu.mainThreads['server-1']),
    share(cpu.processes['server-1']),
    share(cpu.processes.crowd),
    phase.isClean ? 'clean' : '**not clean**',
  ];
  return `| ${cells.join(' | ')} |`;
}

function refusedRow({ factor, crowd, shed }: Phase): string {
  const byKind = Object.entries(crowd.kinds).map(([kind, { statuses }]) => {
    const others = Object.entries(statuses).filter(([status]) => Number(status) >= 400 || status === '0');
    return others.length === 0 ? '' : `${kind}: ${others.map(([status, count]) => `${count} × ${status}`).join(', ')}`;
  });
  const byClass = Object.entries(shed)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name}: ${whole(count)}`);
  return `| ${factor} × | ${byKind.filter((text) => text !== '').join('; ')} | ${byClass.join('; ')} | ${whole(crowd.unsent)} | ${ms(crowd.sentLateP99Ms)} |`;
}

function remarks({ phases, peakPerSecond, isPinned, leftOut }: OverloadMeasurement): readonly string[] {
  const last = phases.at(-1);
  return [
    ...leftOut,
    ...(isPinned ? [] : ['Nothing was pinned: generator and server took each other’s time.']),
    ...phases.flatMap(({ factor, crowd, cpu }) => [
      ...crowd.faults.map((fault) => `${factor} ×: ${fault}`),
      ...((cpu.mainThreads.crowd ?? 0) > CROWD_SHARE_MAX
        ? [`${factor} ×: the crowd's process was at its limit; latencies are its as well.`]
        : []),
    ]),
    ...(last !== undefined && shareOfPeak(last, peakPerSecond) < WANTED_SHARE
      ? [`At ${last.factor} × ${WANTED_SHARE} of the peak are **not reached**.`]
      : []),
  ];
}

export function renderMarkdown(measurement: OverloadMeasurement): string {
  const { steps, phases, peakPerSecond, admittedPerSecond, options, machine } = measurement;
  return `${[
    '| buyers at once, closed loop | orders/s | requests/s | server, processors |',
    '| ---: | ---: | ---: | ---: |',
    ...steps.map(
      ({ lanes, ordersPerSecond, requestsPerSecond, shares, fault }) =>
        `| ${lanes} | ${fault ?? whole(ordersPerSecond)} | ${whole(requestsPerSecond)} | ${share(shares.server)} |`,
    ),
    '',
    `Peak: ${whole(peakPerSecond)} orders/s. Then open load; ${whole(admittedPerSecond)} admitted a second, of whom ${options.noShows} % never come.`,
    '',
    '| arrivals | a second | requests/s due | served | 503 | orders/s | of the peak | of the peak, by CPU | hold p50 / p99 ms | payment p50 / p99 ms | server: main thread | server | crowd | audit |',
    '| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
    ...phases.map((phase) => phaseRow(phase, measurement)),
    '',
    '| arrivals | refused in the window, by request | refused by the shedder in the phase, by class | unsent at the end | sent late, p99 ms |',
    '| ---: | --- | --- | ---: | ---: |',
    ...phases.map(refusedRow),
    '',
    ...remarks(measurement).map((line) => `- ${line}`),
    '',
    `${machine.processors} × ${machine.processor}, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, Redis ${machine.redis}, ${machine.mysql}; order log on ${machine.fileSystem}.`,
  ].join('\n')}\n`;
}
