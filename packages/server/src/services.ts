/** Everything the features share, made once by `main.ts` (or a test) and passed in. */
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { AccessTokens } from './platform/access-tokens.ts';
import type { Clock } from './platform/clock.ts';
import type { MysqlPool } from './platform/mysql.ts';

export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly redis: Redis;
  /** A connection of its own in subscriber mode. */
  readonly subscriber: Redis;
  readonly mysql: MysqlPool;
  readonly accessTokens: AccessTokens;
}
