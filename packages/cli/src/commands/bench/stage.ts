/** What a load test runs against: the stack of the folder, one brought up for the run, or servers elsewhere. */
import { pathOf } from '@fest/server/contract/paths';
import type { Role } from '@fest/server/contract/words';
import { callApi } from '../../api-client.ts';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { StackEvent } from '../../local-stack/events.ts';
import { findLocalState, type LocalState } from '../../local-stack/local-state.ts';
import { findLockOwner } from '../../local-stack/lock.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { ensureSecrets } from '../../local-stack/secrets.ts';
import { startLocalStack } from '../../local-stack/stack.ts';
import { findSessionHolder, type SessionHolder } from '../../session.ts';
import type { Settings } from '../../settings.ts';
import { stackOptions } from '../up.ts';
import { describeDifference, environmentOf, type GatewaySettings, gatewayEnvironment, gatewayOf } from './gateway.ts';
import { accountSession } from './sessions.ts';
import { type BenchTarget, isLoopback } from './target.ts';

/** What accounts and tokens can be made with, and the audit looked at. */
export interface StageStores {
  readonly mysqlUrl: string;
  readonly jwtSecret: string;
  /** What only a stack of this machine has. */
  readonly local:
    | {
        readonly redisUrl: string;
        readonly queueTokenSecret: string;
        readonly logDirs: readonly string[];
        readonly gatewayDir: string;
        /** `.fest/pids.json`. */
        readonly pidsFile: string;
      }
    | undefined;
}

export interface BenchStage {
  /** Where the load goes. */
  readonly baseUrls: readonly string[];
  /** Where the servers tell of themselves: of a stack not through whatever stands in front of it. */
  readonly figureUrls: readonly string[];
  readonly organizer: SessionHolder;
  readonly operator: SessionHolder;
  /** Undefined: all there is is the API. */
  readonly stores: StageStores | undefined;
  /** Null: not known. */
  readonly gatewayMs: number | null;
  /** All of it; null: not known. */
  readonly gateway: GatewaySettings | null;
  /** What is otherwise than the scenario wants it, a sentence each. */
  readonly notes: readonly string[];
  /** Ends what was brought up for the run. */
  close(): Promise<void>;
  /** The same at once, for a second Ctrl-C. */
  kill(): void;
}

export interface StageOptions {
  readonly context: Context;
  readonly settings: Settings;
  readonly target: BenchTarget;
  readonly gateway: GatewaySettings;
  /** For whoever looks who holds the folder. */
  readonly purpose: string;
  readonly install: boolean;
  readonly signal: AbortSignal;
  readonly onEvent: (event: StackEvent) => void;
}

const KEPT_UP = { close: async () => undefined, kill: () => undefined };

/** The stack that runs in the folder now: one that was killed leaves its state behind. */
export function findRunningStack(directory: string): LocalState | undefined {
  const paths = stackPaths(directory);
  return findLockOwner(paths.lock) === undefined ? undefined : findLocalState(paths.localState);
}

/** @throws FixableError when a stack does not come up, or nobody is logged in at the servers */
export async function openStage(options: StageOptions): Promise<BenchStage> {
  const { target } = options;
  if (target.kind === 'ownStack') return bringUp(options);
  if (target.kind === 'runningStack') return onRunningStack(options, target.state, target.baseUrls);
  const { state, baseUrls } = target;
  if (state !== undefined && (await belongsTo(baseUrls, state))) return onRunningStack(options, state, baseUrls);
  return onServers(options, baseUrls);
}

async function bringUp({ context, settings, gateway, purpose, install, signal, onEvent }: StageOptions) {
  const env = gatewayEnvironment(context.env, gateway);
  const stack = await startLocalStack({
    ...stackOptions({ ...context, env }, settings),
    install,
    signal,
    onEvent,
    purpose,
  });
  const found = gatewayOf(env);
  const difference = describeDifference(found, gateway);
  return {
    ...ofStack(context, settings, stack.state, stack.state.baseUrls),
    gatewayMs: found.FEST_GATEWAY_LATENCY_MS,
    gateway: found,
    notes: difference === undefined ? [] : [difference],
    close: () => stack.stop(),
    kill: () => stack.kill(),
  };
}

function onRunningStack(
  { context, settings, gateway }: StageOptions,
  state: LocalState,
  baseUrls: readonly string[],
): BenchStage {
  const env = environmentOf(state.servers[0]?.pid ?? 0);
  const found = env === undefined ? undefined : gatewayOf(env);
  const difference = found === undefined ? undefined : describeDifference(found, gateway);
  const notes = difference === undefined ? [] : [difference];
  return {
    ...ofStack(context, settings, state, baseUrls),
    gatewayMs: found?.FEST_GATEWAY_LATENCY_MS ?? null,
    gateway: found ?? null,
    notes: found === undefined ? ['How the payment gateway of the stack is set up is not known.'] : notes,
    ...KEPT_UP,
  };
}

function ofStack(context: Context, { directory }: Settings, state: LocalState, baseUrls: readonly string[]) {
  const paths = stackPaths(directory);
  const { jwtSecret, queueTokenSecret } = ensureSecrets(paths.secrets);
  const { mysqlUrl, redisUrl, logDirs, gatewayDir, accounts } = state;
  const [first = ''] = state.baseUrls;
  return {
    baseUrls,
    figureUrls: state.baseUrls,
    organizer: accountSession(context, first, accounts.organizer),
    operator: accountSession(context, first, accounts.operator),
    stores: {
      mysqlUrl,
      jwtSecret,
      local: { redisUrl, queueTokenSecret, logDirs, gatewayDir, pidsFile: paths.pids },
    },
  };
}

/**
 * Only servers of a stack know the password that it made for its operator. It is shown to nobody but this machine: elsewhere a
 * stack of this folder cannot be, and whoever answers there would know it from then on.
 */
async function belongsTo(baseUrls: readonly string[], { accounts }: LocalState): Promise<boolean> {
  if (!baseUrls.every(isLoopback)) return false;
  const answers = await Promise.allSettled(
    baseUrls.map((baseUrl) => callApi(baseUrl, { method: 'POST', path: pathOf('sessions'), body: accounts.operator })),
  );
  return answers.every(({ status }) => status === 'fulfilled');
}

async function onServers(options: StageOptions, baseUrls: readonly string[]): Promise<BenchStage> {
  const { context, settings } = options;
  const [first = ''] = baseUrls;
  const session = findSessionHolder(context, { ...settings, url: { value: first, source: 'flag' } }, 'operator');
  await requireRoles(first, session);
  const mysqlUrl = settings.mysqlUrl?.source === 'local stack' ? undefined : settings.mysqlUrl?.value;
  const jwtSecret = context.env.FEST_JWT_SECRET || undefined;
  return {
    baseUrls,
    figureUrls: baseUrls,
    organizer: session,
    operator: session,
    stores: mysqlUrl === undefined || jwtSecret === undefined ? undefined : { mysqlUrl, jwtSecret, local: undefined },
    gatewayMs: null,
    gateway: null,
    notes: ['How the payment gateway of the servers is set up is not known.'],
    ...KEPT_UP,
  };
}

const NEEDED_ROLES: readonly Role[] = ['organizer', 'operator'];

async function requireRoles(baseUrl: string, session: SessionHolder): Promise<void> {
  const accessToken = await session.findAccessToken();
  const me = (await callApi(baseUrl, { method: 'GET', path: pathOf('me'), accessToken })) as {
    readonly email: string;
    readonly roles: readonly string[];
  };
  const missing = NEEDED_ROLES.filter((role) => !me.roles.includes(role));
  if (missing.length === 0) return;
  throw new FixableError({
    what: `${me.email} may not make a sale for the load test at ${baseUrl}`,
    why: `the account lacks the role ${missing.join(' and ')}`,
    fix: `Log in with an account that is organizer and operator: fest login --url ${baseUrl}`,
    exitCode: EXIT.unauthorised,
  });
}
