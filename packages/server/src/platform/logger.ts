/**
 * The log: one JSON object a line on standard output, for Loki, CloudWatch or whoever collects it. `time` is RFC 3339, `level` a
 * word, and `service`, `environment` and `server` say whose it is; a line about a request has its `reqId`.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { Config } from '../config.ts';

export function createLogger(
  config: Pick<Config, 'logLevel' | 'serverName' | 'environment'>,
  more: Readonly<Record<string, string>> = {},
  destination: DestinationStream = pino.destination(1),
): Logger {
  const base = { service: 'fest', environment: config.environment, server: config.serverName, ...more };
  return pino(
    {
      level: config.logLevel,
      base,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    destination,
  );
}
