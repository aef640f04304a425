/**
 * `npm run observe`: two real servers, a real Prometheus with the rules of this repository, a sale, and every fault that an alert is
 * for. Prints what each expression says, what fires and when, and what reading the metrics costs; draws the dashboards.
 *
 * Usage: node scripts/observe/main.ts [sale] [cost] [alarms] [--only=Alert,Alert] [--folder=<folder>]; without a part, all of them.
 * Exit code 1: an expression had no data, or an alert did not fire. 2: there is no Prometheus.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { observeAlarms } from './alarms.ts';
import { readAlerts } from './assets.ts';
import { FOR_SECONDS_MAX, findPrometheus } from './prometheus.ts';
import { observeCost, observeSale } from './rounds.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, folder: { type: 'string' } },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const parts = positionals.length === 0 ? ['sale', 'cost', 'alarms'] : positionals;
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

const prometheus = findPrometheus();
if (prometheus === undefined) {
  process.stderr.write('!!! NOTHING IS OBSERVED: prometheus is not in PATH. Debian: apt-get install prometheus\n');
  process.exit(2);
}
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'fest-observe-'));
mkdirSync(folder, { recursive: true });
const round = { folder, say, signal: stopping.signal };
say(`Prometheus ${prometheus.version}; everything is in ${folder}`);
say('It scrapes and evaluates every second, with the rules of this repository.');

const faults: string[] = [];
async function observe(): Promise<void> {
  if (parts.includes('sale')) faults.push(...(await observeSale(round)));
  if (parts.includes('cost')) await observeCost(round);
  if (parts.includes('alarms')) {
    say(
      `\nAlarms: each alert waits ${FOR_SECONDS_MAX} s at most (its \`for\` in a copy of the rules). Expressions are as they are.`,
    );
    const { fired, skipped } = await observeAlarms(round, values.only);
    // One that fired already when its symptom began shows nothing.
    const did = new Set(
      fired.filter(({ afterSeconds, before }) => afterSeconds !== undefined && !before).map(({ alert }) => alert),
    );
    const names = readAlerts().map(({ alert }) => alert);
    say(`\n${did.size} of ${names.length} alerts fired.`);
    for (const { alerts, why } of skipped) say(`!!! not caused: ${alerts.join(', ')}: ${why}`);
    faults.push(
      ...fired
        .filter(({ alert }) => !did.has(alert))
        .map(({ alert, what }) => `${alert} did not fire because of this: ${what}`),
    );
    const left = new Set(skipped.flatMap(({ alerts }) => alerts));
    if (values.only === undefined) {
      const uncaused = names.filter((name) => !left.has(name) && !fired.some(({ alert }) => alert === name));
      faults.push(...uncaused.map((name) => `no symptom causes ${name}`));
    }
  }
}

try {
  await observe();
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  process.stderr.write('Interrupted; everything was stopped.\n');
  process.exit(130);
}
for (const fault of faults) say(`FAULT: ${fault}`);
say(faults.length === 0 ? 'No faults.' : `${faults.length} faults.`);
process.exitCode = faults.length === 0 ? 0 : 1;
