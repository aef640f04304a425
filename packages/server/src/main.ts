/** The command: configuration from the environment, then the server's process. */
import { ConfigError, parseConfig } from './config.ts';
import { runServer } from './server-process.ts';

try {
  await runServer(parseConfig(process.env));
} catch (error) {
  if (error instanceof ConfigError) process.stderr.write(`${error.message}\n`);
  else
    process.stderr.write(
      `fest-server cannot start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(1);
}
