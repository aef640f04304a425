/** One load on a stage that is up: accounts and sales, k6, the audit, the result in its folder. */
import { join } from 'node:path';
import { lastSecondOf } from '@fest/loadtest/bench/load-sums';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { scriptPath } from '@fest/loadtest/bench/script-path';
import { type K6Run, runK6 } from '@fest/loadtest/k6-engine/run-k6';
import { renderBenchMarkdown } from '../../bench-page/markdown.ts';
import { renderBenchPage } from '../../bench-page/page.ts';
import { type Afterwards, checkAfterwards } from './afterwards.ts';
import { composeResult } from './compose-result.ts';
import { CpuWatch } from './cpu-watch.ts';
import { describeEngines, describeFest, describeMachine } from './facts.ts';
import { gatewayConfigOf } from './gateway.ts';
import { describeLoad } from './load-size.ts';
import { Observer } from './observe.ts';
import type { BenchRun } from './on-stage.ts';
import { admissionOf, type Prepared, prepareBench } from './prepare.ts';
import { type ResultFiles, replaceResult, writeResultFolder } from './result-folder.ts';
import { FigureWatch } from './server-figures.ts';
import type { BenchStage } from './stage.ts';
import { isLoopback } from './target.ts';
import { joinObservation } from './timeline.ts';

/** @param folder of the result; it does not exist yet */
export async function carryOut(order: BenchRun, stage: BenchStage, folder: string): Promise<BenchResult> {
  const { context, request, resolved, id, status, signal, beforeLeaving } = order;
  // Before the load, so that nothing has to be waited for when it is over.
  const surroundings = await describeSurroundings(stage);
  const prepared = await prepareBench({ context, stage, request, resolved, id, status, signal, beforeLeaving });
  const figures = new FigureWatch({
    context,
    urls: stage.figureUrls,
    session: stage.operator,
    saleId: prepared.plan.saleId,
  });
  try {
    const cpu = new CpuWatch({ pidsFile: stage.stores?.local?.pidsFile, observerPid: process.pid });
    const observer = new Observer({ context, cpu, figures });
    const beganAtMs = context.now();
    const run = await runLoad(order, { prepared, observer, cpu, figures });
    const endedAtMs = context.now();
    const filesOf = (afterwards: Afterwards): ResultFiles => {
      const result = composeResult({
        id,
        plan: prepared.plan,
        resolved,
        admission: admissionOf(request, resolved),
        gatewayMs: stage.gatewayMs,
        gateway: stage.gateway === null ? null : gatewayConfigOf(stage.gateway),
        run,
        beganAtMs,
        endedAtMs,
        observations: observer.seen,
        died: cpu.died,
        afterwards,
        notes: stage.notes,
        k6: order.k6,
        ...surroundings,
      });
      const [page, markdown] = [renderBenchPage(result), renderBenchMarkdown(result)];
      return { result, plan: prepared.plan, page, markdown, logFile: join(prepared.folder, 'k6.log') };
    };
    // The proof takes a while, and whoever does not wait for it keeps what was measured.
    writeResultFolder(folder, filesOf(NOT_AUDITED));
    const forget = beforeLeaving({
      remove: () => context.stderr.write(`What was measured, without a proof: ${folder}\n`),
    });
    const afterwards = await checkAfterwards({ context, stage, prepared, figures, status, signal });
    await prepared.closeSales();
    await order.stay();
    const files = filesOf(afterwards);
    replaceResult(folder, files);
    forget();
    return files.result;
  } finally {
    figures.close();
    await prepared.closeSales();
    prepared.remove();
  }
}

/** Stands in a result until the proof is there. */
const NOT_AUDITED: Afterwards = {
  audit: { status: 'notRun', reasons: ['fest bench was ended before the audit.'] },
  sale: undefined,
};

type Surroundings = Pick<BenchResult, 'fest' | 'machine' | 'target'>;

async function describeSurroundings({ baseUrls, stores }: BenchStage): Promise<Surroundings> {
  const [fest, engines] = await Promise.all([describeFest(), describeEngines(stores)]);
  return {
    fest,
    machine: describeMachine(stores?.local?.logDirs[0]),
    target: {
      baseUrls,
      local: stores?.local !== undefined,
      sameMachine: stores?.local !== undefined || baseUrls.every(isLoopback),
      servers: baseUrls.length,
      ...engines,
    },
  };
}

export interface Watched {
  readonly prepared: Prepared;
  readonly observer: Observer;
  readonly cpu: CpuWatch;
  readonly figures: FigureWatch;
}

/** k6, and what is seen beside it. */
export async function runLoad(order: BenchRun, watched: Watched): Promise<K6Run> {
  const { resolved, status, signal, k6, request } = order;
  const { prepared, observer, cpu, figures } = watched;
  order.beforeLeaving({ ask: prepared.closeSales, remove: prepared.remove });
  figures.start();
  observer.start();
  const ending = (): void =>
    status.begin(
      'ending',
      'Ending k6; what was seen until now is the result. Ctrl-C again leaves at once, without it.',
    );
  signal.addEventListener('abort', ending, { once: true });
  status.loadBegins(lastSecondOf(resolved.load) * 1_000, `${describeLoad(resolved.load)}.`);
  let forget = (): void => undefined;
  try {
    return await runK6({
      k6,
      script: scriptPath(request.scenario),
      plan: prepared.plan,
      folder: prepared.folder,
      signal,
      onStarted: (pid) => cpu.generatorIs(pid),
      onKillable(killNow) {
        forget = order.beforeLeaving({ kill: killNow });
      },
      onSecond: (row, totals) => status.row(joinObservation(row, observer.seen), totals),
    });
  } finally {
    // What was seen of a k6 that was killed by somebody who leaves is no result.
    await order.stay();
    forget();
    signal.removeEventListener('abort', ending);
    observer.stop();
    cpu.generatorIs(undefined);
  }
}
