/** Two parts of `npm run observe`: a sale that is looked at, and what the looking costs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readDashboards } from './assets.ts';
import { Evaluation, lineOf, withoutData } from './evaluate.ts';
import { findBrowser, takePicture } from './picture.ts';
import { Prometheus } from './prometheus.ts';
import { renderDashboard, type Span } from './render-dashboard.ts';
import { measureScrapes } from './scrape-cost.ts';
import { Stage } from './stage.ts';

export interface Round {
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const SALE = { capacity: 1_500, perSecond: 25, maxActive: 300, holdSeconds: 20 };
const BUYERS = 2_400;
/** Faster than they are admitted: most wait so long that the estimates are judged. */
const ARRIVE_OVER_MS = 20_000;
const ASK_EVERY_MS = 3_000;
/** Some sign up and log in while the sale runs. */
const LATE_BUYERS = 5;
const LATE_MS = 15_000;

/** Returns what had no data although it should, and what fired although nothing was wrong. */
export async function observeSale({ folder, say, signal }: Round): Promise<readonly string[]> {
  const stage = await Stage.open({ directory: join(folder, 'sale'), servers: 2, env: {}, say, signal });
  const prometheus = await Prometheus.start({
    folder: folderIn(folder, 'prometheus-sale'),
    baseUrls: stage.baseUrls,
    waits: 'asRuled',
  });
  try {
    const saleId = await stage.openSale('observed', SALE);
    const tokens = await stage.buyers(BUYERS);
    const from = Math.floor(Date.now() / 1_000);
    say(
      `A sale of ${SALE.capacity} tickets to ${BUYERS} people at ${stage.baseUrls.join(' and ')}, looked at by ${prometheus.url}.`,
    );
    const evaluation = new Evaluation(prometheus);
    // Some follow the sale over WebSockets.
    const sockets = stage.watch(saleId, 3);
    let isOver = false;
    const buying = stage.sell(saleId, tokens, ARRIVE_OVER_MS).finally(() => {
      isOver = true;
    });
    // Everybody else has an account and a token from before.
    const late = sleep(LATE_MS).then(() => stage.buyers(LATE_BUYERS));
    while (!isOver) await Promise.all([evaluation.round(), sleep(ASK_EVERY_MS)]);
    const report = await buying;
    await late;
    signal.throwIfAborted();
    for (const socket of sockets) socket.close();
    await sleep(ASK_EVERY_MS);
    await evaluation.round();
    say(`\nExpressions, and what Prometheus answered last (${report.succeeded.length} orders were made):\n`);
    for (const each of [...evaluation.queries, ...evaluation.recordings]) say(lineOf(each));
    say('\nAlerts, with their `for` as in the rules: none of them should fire here; what they look at is counted.\n');
    for (const each of evaluation.alerts) {
      const series = [...each.series].map(([selector, count]) => `${selector}: ${count} series`).join(', ');
      say(`${lineOf(each)}\n    ${series}`);
    }
    const to = Math.floor(Date.now() / 1_000);
    await drawDashboards(prometheus, { from, to, stepSeconds: 1 }, { folder, say });
    // Over the whole sale, its opening and its end: a series for each alert that fired at any time.
    const fired = await prometheus.query(`max_over_time(ALERTS{alertstate="firing"}[${to - from + 60}s])`);
    const names = [...new Set(fired.map(({ metric }) => metric.alertname))];
    // Which fires always.
    const noise = names.filter((name) => name !== 'Watchdog');
    say(`\nFired, besides the Watchdog: ${noise.length === 0 ? 'none' : noise.join(', ')}.`);
    return [
      ...withoutData(evaluation, false).map((what) => `no data: ${what}`),
      ...noise.map((name) => `${name} fired in a sale without a fault`),
      ...(names.includes('Watchdog') ? [] : ['the Watchdog did not fire']),
    ];
  } finally {
    await prometheus.stop();
    await stage.stack.stop();
  }
}

const PICTURE_WIDTH = 1_560;

/** As pages, and as pictures of them where there is a browser. */
async function drawDashboards(
  prometheus: Prometheus,
  span: Span,
  { folder, say }: Pick<Round, 'folder' | 'say'>,
): Promise<void> {
  const browser = findBrowser();
  if (browser === undefined) say('!!! NO PICTURES: there is no Chromium in PATH. The pages are there.');
  for (const [name, dashboard] of readDashboards()) {
    const path = join(folder, name.replace('.json', '.html'));
    writeFileSync(path, await renderDashboard(dashboard, prometheus, span));
    say(`Drawn: ${path}`);
    if (browser === undefined) continue;
    const picture = path.replace('.html', '.png');
    await takePicture(browser, path, picture, PICTURE_WIDTH);
    say(`Drawn: ${picture}`);
  }
}

/** What reading the metrics of a server costs that has just sold. */
export async function observeCost({ folder, say, signal }: Round): Promise<void> {
  const stage = await Stage.open({ directory: join(folder, 'cost'), servers: 1, env: {}, say, signal });
  try {
    const saleId = await stage.openSale('cost', { capacity: 300, perSecond: 200, maxActive: 300, holdSeconds: 20 });
    await stage.sell(saleId, await stage.buyers(300), 2_000);
    const cost = await measureScrapes(stage.baseUrls[0] ?? '');
    const { median, min, max } = cost.cpuMs;
    const ms = (value: number): string => value.toFixed(2);
    say(
      `\n/metrics: ${cost.bytes} bytes, ${cost.series} series; ${ms(median)} ms of processor time a reading ` +
        `(${ms(min)} to ${ms(max)} in ${cost.pairs} pairs of blocks of ${cost.readings} readings), ${ms(cost.tookMs)} ms to answer.`,
    );
  } finally {
    await stage.stack.stop();
  }
}

export function folderIn(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
