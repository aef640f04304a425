/** The command: configuration from the environment, then the server's process, or that of one of its workers. */
import { ConfigError, parseConfig } from './config.ts';
import { runServer } from './server-process.ts';
import { workerOf } from './workers/fork-worker.ts';
import { runPrimary } from './workers/primary.ts';
import { runWorker } from './workers/run-worker.ts';
import { bringInLeftLogs } from './workers/worker-logs.ts';

try {
  const config = parseConfig(process.env);
  const worker = workerOf(process.env);
  if (worker !== undefined) await runWorker(config, worker);
  else {
    await bringInLeftLogs(config);
    if (config.workers === 1) await runServer(config);
    else process.exit(await runPrimary(config));
  }
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
  else
    process.stderr.write(
      `fest-server cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(1);
}
