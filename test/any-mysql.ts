/**
 * Integration tests that prove the same whichever MySQL is behind the servers, or none. The others run a second time against
 * another MySQL (`npm run test:mysql`), and so does what is new, until it stands here. `test/tidy/any-mysql.test.ts` holds that
 * no file of these sends MySQL anything itself.
 */

const SOCKETS = 'connections, and what comes over them';
const MEMORY = "what a server's memory decides before any store is asked";
const LINE = 'the line, which is in Redis';
const LOAD = 'what load and restarts do to processes; the SQL of their purchases is that of any purchase';

/** Pattern of files below `test` → what they are about instead. */
export const SAME_ON_ANY_MYSQL: Readonly<Record<string, string>> = {
  'integration/abuse-limits.test.ts': MEMORY,
  'integration/admission-health.test.ts': LINE,
  'integration/admission.test.ts': LINE,
  'integration/early-join.test.ts': LINE,
  'integration/fairness.test.ts': LINE,
  'integration/front-door.test.ts': SOCKETS,
  'integration/garbage-tokens.test.ts': MEMORY,
  'integration/hung-stores.test.ts': 'stores that hang; it starts and stops its own',
  'integration/readiness-stores.test.ts': 'stores that hang; it starts and stops its own',
  'integration/join-challenge.test.ts': MEMORY,
  'integration/k6-run.test.ts': 'k6, against a server that only counts',
  'integration/lame-duck.test.ts': SOCKETS,
  'integration/live.test.ts': SOCKETS,
  'integration/login-storm.test.ts': LOAD,
  'integration/operations-live*.test.ts': SOCKETS,
  'integration/overload.test.ts': LOAD,
  'integration/poll-pace.test.ts': MEMORY,
  'integration/redis/**': 'Lua scripts',
  'integration/rolling-restart.test.ts': LOAD,
  'integration/short-way.test.ts': SOCKETS,
  'integration/slow-clients.test.ts': SOCKETS,
  'integration/state-tags.test.ts': LINE,
  'integration/ticker-lease.test.ts': LINE,
  'integration/wait-estimate.test.ts': LINE,
  'integration/work-counts.test.ts': 'commands of Redis and bytes on the wire',
  'integration/workers.test.ts': LOAD,
  'simulation/redis/**': 'the simulated Redis',
};
