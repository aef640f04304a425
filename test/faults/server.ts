/**
 * A server as it is, but for two things the harness steers from outside: its order log's disk fails when it is told to
 * (`FEST_FAULTY_FILES`, see test/support/faulty-files.ts), and the simulated gateway's rates can be replaced
 * (`FEST_FAULTS_GATEWAY`, the path of a JSON file that is read once, at the start).
 */
import { existsSync, readFileSync } from 'node:fs';
import { parseConfig } from '@fest/server/config';
import { runServer } from '@fest/server/server-process';
import type { GatewayRates } from './stack/control-files.ts';

function gatewayRates(path: string | undefined): GatewayRates | undefined {
  return path === undefined || !existsSync(path) ? undefined : JSON.parse(readFileSync(path, 'utf8'));
}

try {
  const config = parseConfig(process.env);
  const rates = gatewayRates(process.env.FEST_FAULTS_GATEWAY);
  await runServer(
    {
      ...config,
      gatewayDeclineRate: rates?.declineRate ?? config.gatewayDeclineRate,
      gatewayTimeoutRate: rates?.timeoutRate ?? config.gatewayTimeoutRate,
      gatewayUnknownRate: rates?.unknownRate ?? config.gatewayUnknownRate,
    },
    { logFilesModule: new URL('../support/faulty-files.ts', import.meta.url) },
  );
} catch (error) {
  process.stderr.write(`the server cannot start: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}
