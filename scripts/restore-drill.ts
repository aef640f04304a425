/**
 * `npm run drill:restore`: a deployment of its own sells, is backed up, sells on, and loses its database. From the backup and the
 * order logs there has to come a new database that equals the lost one, and an audit without a difference.
 * docs/runbooks/restore.md has the same for a real deployment.
 */
import { EXIT } from '@fest/cli/exit-codes';
import { carryOutDrill } from './drill/drill.ts';
import { openStage } from './measuring/stage.ts';

const BUYERS = 100;
const GIVE_UP_MS = 600_000;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort(new Error('interrupted')));
const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(GIVE_UP_MS)]);
const stage = await openStage(
  { purpose: 'npm run drill:restore', directory: undefined, gatewayMs: 20, servers: 2 },
  { env: process.env, say, signal },
);
try {
  const { withoutReplay, restored, auditExitCode, seconds } = await carryOutDrill(stage, {
    buyers: BUYERS,
    say,
    signal,
  });
  const behind = withoutReplay.filter(({ differences }) => differences.length > 0).map(({ table }) => table);
  const differ = restored.filter(({ differences }) => differences.length > 0).map(({ table }) => table);
  say(`restored in ${seconds.restore.toFixed(1)} s; without the logs these differed: ${behind.join(', ')}`);
  say(
    `logs replayed in ${seconds.replay.toFixed(1)} s; audit ended with ${auditExitCode}; differ: ${differ.join(', ') || 'none'}`,
  );
  const proven = behind.includes('orders') && differ.length === 0 && auditExitCode === EXIT.done;
  say(proven ? 'The new database equals the old one.' : 'THE DRILL FAILED.');
  process.exitCode = proven ? EXIT.done : EXIT.checkFailed;
} finally {
  await stage.close();
}
