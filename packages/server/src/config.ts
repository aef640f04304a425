/**
 * What a deployment decides: one declaration a variable; the type, the parsing, the error messages and the redacted
 * listing all derive from it. `main.ts` reads the environment, everything else receives a `Config`.
 */
import { availableParallelism } from 'node:os';
import { ROLES, type Role } from './contract/words.ts';
import { DEFAULT_RATES } from './limits/abuse.ts';
import { parseTrustedProxies, type TrustedProxies } from './platform/trusted-proxies.ts';

interface Variable<Value> {
  readonly env: `FEST_${string}`;
  readonly describe: string;
  /** Absent: the variable is required. */
  readonly fallback?: Value;
  readonly secret?: boolean;
  /** Returns the value, or throws an Error whose message completes "FEST_X …". */
  readonly parse: (text: string) => Value;
}

function variable<Value>(definition: Variable<Value>): Variable<Value> {
  return definition;
}

const text = (raw: string): string => {
  if (raw === '') throw new Error('must not be empty');
  return raw;
};

const environmentName = (raw: string): string => {
  if (/^[\w.-]{1,40}$/.test(raw)) return raw;
  throw new Error('must have 1 to 40 letters, digits, dots, dashes and underscores');
};

const integer =
  (minimum: number, maximum: number) =>
  (raw: string): number => {
    const value = Number(raw);
    if (!/^\d+$/.test(raw) || value < minimum || value > maximum) {
      throw new Error(`must be a whole number from ${minimum} to ${maximum}, not "${raw}"`);
    }
    return value;
  };

/** More would wait for each other's processors; beyond this there are more machines. */
const WORKERS_MAX = 64;

/** What `FEST_WORKERS` says; throws an Error whose message completes "FEST_WORKERS …". */
export function workerCount(raw: string): number {
  if (raw === 'auto') return Math.min(WORKERS_MAX, availableParallelism());
  const value = Number(raw);
  if (/^\d+$/.test(raw) && value >= 1 && value <= WORKERS_MAX) return value;
  throw new Error(`must be auto or a whole number from 1 to ${WORKERS_MAX}, not "${raw}"`);
}

const fraction = (raw: string): number => {
  const value = Number(raw);
  if (raw === '' || !(value >= 0 && value <= 1)) throw new Error(`must be a number from 0 to 1, not "${raw}"`);
  return value;
};

const oneOf =
  <const Words extends readonly string[]>(words: Words) =>
  (raw: string): Words[number] => {
    if (!words.includes(raw)) throw new Error(`must be one of ${words.join(', ')}, not "${raw}"`);
    return raw;
  };

const url =
  (...protocols: string[]) =>
  (raw: string): string => {
    const protocol = URL.canParse(raw) ? new URL(raw).protocol : undefined;
    if (protocol === undefined || !protocols.includes(protocol)) {
      throw new Error(`must be a URL that starts with ${protocols.map((name) => `${name}//`).join(' or ')}`);
    }
    return raw;
  };

const secretText =
  (minimumCharacters: number) =>
  (raw: string): string => {
    if (raw.length < minimumCharacters) throw new Error(`must have at least ${minimumCharacters} characters`);
    return raw;
  };

const base64Bytes =
  (bytes: number) =>
  (raw: string): Buffer => {
    const value = Buffer.from(raw, 'base64');
    if (value.length !== bytes) throw new Error(`must be ${bytes} bytes in base64 (openssl rand -base64 ${bytes})`);
    return value;
  };

/** An account that is created at start when its e-mail address is not taken. */
export interface BootstrapAccount {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

function bootstrapAccounts(raw: string): readonly BootstrapAccount[] {
  const shape = 'must be a JSON array of {email, password, name, roles}';
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    throw new Error(shape);
  }
  if (!Array.isArray(value)) throw new Error(shape);
  return value.map((entry: Partial<BootstrapAccount> | null) => {
    const { email, password, name, roles } = entry ?? {};
    if (
      typeof email !== 'string' ||
      typeof password !== 'string' ||
      typeof name !== 'string' ||
      !Array.isArray(roles)
    ) {
      throw new Error(shape);
    }
    const unknown = roles.find((role) => !ROLES.includes(role));
    if (unknown !== undefined) throw new Error(`names the role "${unknown}"; roles are ${ROLES.join(', ')}`);
    return { email, password, name, roles };
  });
}

/** Beyond what a process can answer, so that a bound can be as good as none and still be measured. */
const PER_MINUTE_MAX = 60_000_000;

const VARIABLES = {
  host: variable({ env: 'FEST_HOST', describe: 'address to listen on', fallback: '127.0.0.1', parse: text }),
  port: variable({
    env: 'FEST_PORT',
    describe: 'port to listen on; 0 takes a free one',
    fallback: 8080,
    parse: integer(0, 65_535),
  }),
  serverName: variable({
    env: 'FEST_SERVER_NAME',
    describe: 'name of this server in logs and metrics',
    fallback: 'server-1',
    parse: text,
  }),
  environment: variable({
    env: 'FEST_ENVIRONMENT',
    describe: 'name of the deployment, which operators see; production is shown in red',
    // A deployment that nobody has named is not to be taken for a playground.
    fallback: 'production',
    parse: environmentName,
  }),
  workers: variable({
    env: 'FEST_WORKERS',
    describe: 'processes that share the port: a number, or auto for one a processor',
    fallback: 1,
    parse: workerCount,
  }),
  redisUrl: variable({
    env: 'FEST_REDIS_URL',
    describe: 'Redis or Valkey',
    secret: true,
    parse: url('redis:', 'rediss:'),
  }),
  mysqlUrl: variable({ env: 'FEST_MYSQL_URL', describe: 'MySQL or MariaDB', secret: true, parse: url('mysql:') }),
  mysqlPoolSize: variable({
    env: 'FEST_MYSQL_POOL_SIZE',
    describe: 'MySQL connections of this server, shared by its workers',
    fallback: 10,
    parse: integer(2, 200),
  }),
  logDirectory: variable({ env: 'FEST_LOG_DIR', describe: 'folder of the order log; one server each', parse: text }),
  logArchiveDirectory: variable({
    env: 'FEST_LOG_ARCHIVE_DIR',
    describe: 'where finished segments of the order log are copied before they are removed; without it none is removed',
    fallback: '',
    parse: text,
  }),
  logKeepRecords: variable({
    env: 'FEST_LOG_KEEP_RECORDS',
    describe: 'applied records that stay in the order log when there is an archive',
    fallback: 1_000_000,
    parse: integer(0, 1_000_000_000),
  }),
  jwtSecret: variable({
    env: 'FEST_JWT_SECRET',
    describe: 'key of the access tokens, the same on all servers',
    secret: true,
    parse: secretText(32),
  }),
  queueTokenSecret: variable({
    env: 'FEST_QUEUE_TOKEN_SECRET',
    describe: 'key of the queue tokens, the same on all servers',
    secret: true,
    parse: secretText(32),
  }),
  ticketSigningSeed: variable({
    env: 'FEST_TICKET_SIGNING_SEED',
    describe: 'Ed25519 seed of the ticket codes, 32 bytes in base64, the same on all servers',
    secret: true,
    parse: base64Bytes(32),
  }),
  bootstrapAccounts: variable({
    env: 'FEST_BOOTSTRAP_ACCOUNTS',
    describe: 'accounts to create at start when they do not exist, JSON',
    secret: true,
    fallback: [] as readonly BootstrapAccount[],
    parse: bootstrapAccounts,
  }),
  passwordCostLog2: variable({
    env: 'FEST_PASSWORD_COST_LOG2',
    describe: 'scrypt cost N as a power of two (15 takes about 60 ms and 32 MiB)',
    fallback: 15,
    parse: integer(12, 20),
  }),
  passwordThreads: variable({
    env: 'FEST_PASSWORD_THREADS',
    describe: 'threads that hash passwords, in a process of low priority, shared by the workers',
    // Sign-ups and logins are to leave room for orders; more than two would only make the storm shorter.
    fallback: Math.min(2, availableParallelism()),
    parse: integer(1, 64),
  }),
  passwordProcesses: variable({
    env: 'FEST_PASSWORD_PROCESSES',
    describe: 'processes that those threads are in, as evenly as may be; never more than there are threads',
    fallback: 1,
    parse: integer(1, 64),
  }),
  gatewayDirectory: variable({
    env: 'FEST_GATEWAY_DIR',
    describe: 'folder where the simulated payment gateway keeps its ledger',
    fallback: '.fest/gateway',
    parse: text,
  }),
  gatewaySeed: variable({
    env: 'FEST_GATEWAY_SEED',
    describe: 'the same seed gives the same fate to the same payment id',
    fallback: 'fest',
    parse: text,
  }),
  gatewayLatencyMs: variable({
    env: 'FEST_GATEWAY_LATENCY_MS',
    describe: 'median latency of the simulated gateway (log-normal)',
    fallback: 300,
    parse: integer(0, 60_000),
  }),
  gatewayLatencySigma: variable({
    env: 'FEST_GATEWAY_LATENCY_SIGMA',
    describe: 'spread of the latency; 0 makes every answer take the median',
    fallback: 0.4,
    parse: fraction,
  }),
  gatewayDeclineRate: variable({
    env: 'FEST_GATEWAY_DECLINE_RATE',
    describe: 'share of payments the gateway declines',
    fallback: 0.03,
    parse: fraction,
  }),
  gatewayTimeoutRate: variable({
    env: 'FEST_GATEWAY_TIMEOUT_RATE',
    describe: 'share of requests that get no answer although the gateway did its work',
    fallback: 0.01,
    parse: fraction,
  }),
  gatewayUnknownRate: variable({
    env: 'FEST_GATEWAY_UNKNOWN_RATE',
    describe: 'share of requests that fail half-way: the answer is an error, the money may be taken',
    fallback: 0.01,
    parse: fraction,
  }),
  gatewayTimeoutMs: variable({
    env: 'FEST_GATEWAY_TIMEOUT_MS',
    describe: 'after this the outcome of a gateway request counts as unknown and is looked up',
    fallback: 10_000,
    parse: integer(100, 10_000),
  }),
  liveSockets: variable({
    env: 'FEST_LIVE_SOCKETS',
    describe: 'WebSockets of this server, shared by its workers; who finds no room polls',
    fallback: 20_000,
    parse: integer(0, 1_000_000),
  }),
  liveSocketsPerAddress: variable({
    env: 'FEST_LIVE_SOCKETS_PER_ADDRESS',
    describe: 'of them, from one IPv4 address or one IPv6 network of 64 bits; 0 for as many as there are',
    // A campus or a mobile carrier may have thousands of honest people behind one address.
    fallback: 5_000,
    parse: integer(0, 1_000_000),
  }),
  lameDuckMs: variable({
    env: 'FEST_LAME_DUCK_MS',
    describe: 'how long a server that stops goes on answering, so that its load balancer notices first',
    fallback: 5_000,
    parse: integer(0, 120_000),
  }),
  trustProxy: variable<TrustedProxies>({
    env: 'FEST_TRUST_PROXY',
    describe:
      'whose X-Forwarded-For is believed: false, true (one proxy in front), the number of proxies, or their networks',
    fallback: false,
    parse: parseTrustedProxies,
  }),
  joinsPerAccount: variable({
    env: 'FEST_JOINS_PER_ACCOUNT',
    describe: 'joins of one account a minute, a third of them at once; 0 for as many as come',
    fallback: DEFAULT_RATES.joinsPerAccount,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  holdsPerAccount: variable({
    env: 'FEST_HOLDS_PER_ACCOUNT',
    describe: 'holds of one account a minute, and as many given back, a third of them at once; 0 for as many as come',
    fallback: DEFAULT_RATES.holdsPerAccount,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  joinsPerAddress: variable({
    env: 'FEST_JOINS_PER_ADDRESS',
    describe: 'joins from one address a minute, all of them at once if need be; 0 for as many as come',
    // A campus or a mobile carrier has thousands of honest people behind one address, and all of them come in the first minute.
    fallback: 5_000,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  holdsPerAddress: variable({
    env: 'FEST_HOLDS_PER_ADDRESS',
    describe: 'holds from one address a minute, all of them at once if need be; 0 for as many as come',
    // Nobody holds who has not joined.
    fallback: 5_000,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  signUpsPerAddress: variable({
    env: 'FEST_SIGN_UPS_PER_ADDRESS',
    describe: 'sign-ups from one address a minute, a third of them at once; 0 for as many as come',
    // A sixth of what two threads can hash: those who are many somewhere sign up before the sale, a bot farm always.
    fallback: 300,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  loginsPerAddress: variable({
    env: 'FEST_LOGINS_PER_ADDRESS',
    describe: 'logins from one address a minute, a third of them at once; 0 for as many as come',
    // A third of what two threads can hash: one address leaves the rest to all others.
    fallback: 600,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  refreshesPerAddress: variable({
    env: 'FEST_REFRESHES_PER_ADDRESS',
    describe: 'sessions refreshed from one address a minute, all of them at once if need be; 0 for as many as come',
    // Those who come back for the opening renew their access tokens in the same moment; each costs a statement.
    fallback: 5_000,
    parse: integer(0, PER_MINUTE_MAX),
  }),
  joinChallenge: variable({
    env: 'FEST_JOIN_CHALLENGE',
    describe: 'proof of work at joining: off, adaptive (beyond FEST_JOINS_PER_ADDRESS instead of a refusal), or always',
    fallback: 'off',
    parse: oneOf(['off', 'adaptive', 'always']),
  }),
  joinChallengeBits: variable({
    env: 'FEST_JOIN_CHALLENGE_BITS',
    describe: 'zero bits of each of the 8 puzzles of a proof of work; one more doubles the work',
    fallback: 15,
    parse: integer(1, 24),
  }),
  logLevel: variable({
    env: 'FEST_LOG_LEVEL',
    describe: 'least severe messages to print',
    fallback: 'info',
    parse: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
  }),
  tracesUrl: variable({
    env: 'FEST_TRACES_URL',
    describe: 'where traces are sent, as OTLP over HTTP; without it there are none',
    // Services that take traces from customers have a key in it.
    secret: true,
    fallback: '',
    parse: url('http:', 'https:'),
  }),
  tracesShare: variable({
    env: 'FEST_TRACES_SHARE',
    describe: 'share of the requests that are traced, 0 to 1; those that a proxy in front traces are traced besides',
    fallback: 0.01,
    parse: fraction,
  }),
} as const;

type Variables = typeof VARIABLES;
export type Config = {
  readonly [Name in keyof Variables]: Variables[Name] extends Variable<infer Value> ? Value : never;
};

export class ConfigError extends Error {
  /** One sentence a fault, all of them. */
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n- ${faults.join('\n- ')}`,
    );
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

/** Reads every variable; reports all faults at once. Unknown `FEST_*` names are left to other tools. */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries<Variable<unknown>>(VARIABLES)) {
    const raw = environment[definition.env];
    if (raw === undefined) {
      if (definition.fallback === undefined) faults.push(`${definition.env} is missing: ${definition.describe}`);
      else values[name] = definition.fallback;
      continue;
    }
    try {
      values[name] = definition.parse(raw);
    } catch (error) {
      faults.push(`${definition.env} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return values as Config;
}

/** A secret that is not there is none. */
function shown(value: unknown, secret: boolean | undefined): unknown {
  return secret === true && value !== '' ? '(secret)' : value;
}

/** For logs and `fest config`: the effective values, secrets replaced. */
export function redactedConfig(config: Config): Record<string, unknown> {
  const definitions: Record<string, Variable<unknown>> = VARIABLES;
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, shown(value, definitions[name]?.secret)]),
  );
}

/** One variable as a server would read it, for people. */
export interface DescribedVariable {
  readonly env: string;
  readonly describe: string;
  /** Parsed; `(secret)` for secrets; undefined when it is missing or at fault. */
  readonly value: unknown;
  readonly isSet: boolean;
  /** Completes `env`. */
  readonly fault?: string;
}

/** Every variable with its effective value, also when some are at fault. */
export function describeConfig(
  environment: Readonly<Record<string, string | undefined>>,
): readonly DescribedVariable[] {
  return Object.values<Variable<unknown>>(VARIABLES).map(({ env, describe, fallback, secret, parse }) => {
    const raw = environment[env];
    const isSet = raw !== undefined;
    if (!isSet && fallback === undefined) return { env, describe, value: undefined, isSet, fault: 'is missing' };
    try {
      const value = isSet ? parse(raw) : fallback;
      return { env, describe, value: shown(value, secret), isSet };
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      return { env, describe, value: undefined, isSet, fault };
    }
  });
}
