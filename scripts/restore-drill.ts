/**
 * `npm run drill:restore`: a deployment of its own sells, is backed up, sells on, and loses its database. From the backup and the
 * order logs there has to come a new database that has everything the lost one had, on which its servers go on selling, and an
 * audit without a difference. docs/runbooks/restore.md has the same for a real deployment.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@fest/cli/exit-codes';
import { carryOutDrill, differing } from './drill/drill.ts';
import { ENVIRONMENT_FILE } from './drill/options.ts';
import { openStage } from './measuring/stage.ts';

const BUYERS = 100;
const GIVE_UP_MS = 600_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('interrupted')));
const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(GIVE_UP_MS)]);
const folder = mkdtempSync(join(tmpdir(), 'fest-drill-'));
const environmentFile = join(folder, 'server.env');
const stage = await openStage(
  {
    purpose: 'npm run drill:restore',
    directory: undefined,
    gatewayMs: 20,
    servers: 2,
    env: { [ENVIRONMENT_FILE]: environmentFile },
    serverEntry: join(import.meta.dirname, 'drill/enter.ts'),
  },
  { env: process.env, say, signal },
);
try {
  const result = await carryOutDrill(stage, { buyers: BUYERS, environmentFile, say, signal });
  const { auditExitCode, seconds } = result;
  const behind = differing(result.withoutLogs);
  const differ = differing(result.restored);
  say(`restored in ${seconds.restore.toFixed(1)} s; without the logs these differed: ${behind.join(', ')}`);
  say(`servers restarted on it, one after the other, and their logs applied in ${seconds.restart.toFixed(1)} s`);
  say(`differ: ${differ.join(', ') || 'none'}; the audit ended with ${auditExitCode}`);
  const proven = behind.includes('orders') && differ.length === 0 && auditExitCode === EXIT.done;
  say(proven ? 'The new database has everything the lost one had, and sells.' : 'THE DRILL FAILED.');
  process.exitCode = proven ? EXIT.done : EXIT.checkFailed;
} finally {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
}
