/** Runs Lua scripts with keys and common arguments filled in; a test may put another source in a script's place. */
import { readScriptSource, type Script, type ScriptReply } from '@fest/server/redis/define-script';
import { numberField, saleKeys } from '@fest/server/redis/keys';
import type { Redis } from 'ioredis';
import { SALE_ID, storedEpoch } from './sale-redis.ts';

export type KeyName =
  | Exclude<keyof typeof saleKeys, 'actions' | 'holdPrefix' | 'paymentPrefix' | 'staged'>
  | 'stagedReleased'
  | 'stagedBought'
  | 'stagedReturned';
export type Values<Name extends string> = Readonly<Record<Name, number | string>>;

/** Every script of `scripts.ts` is one of these. */
export type SaleScript<Argument extends string = string, Result = unknown> = Script<KeyName, Argument, Result>;

export type RunScript = <Argument extends string, Result>(
  script: SaleScript<Argument, Result>,
  keys: Readonly<Record<KeyName, string>>,
  args: Values<Argument>,
) => Promise<Result>;

/** The way the server runs them. */
export function asServer(redis: Redis): RunScript {
  return (script, keys, args) => script.run(redis, keys, args);
}

/** From given sources (script name → source), else from the repository's; `onReply` sees replies before they are decoded. */
export function fromSources(
  redis: Redis,
  sources: ReadonlyMap<string, string>,
  onReply: (name: string, reply: ScriptReply) => void = () => undefined,
): RunScript {
  const read = new Map(sources);
  return async ({ definition }, keys, args) => {
    const { name } = definition;
    const source = read.get(name) ?? readScriptSource(name);
    read.set(name, source);
    const parameters = [
      ...definition.keys.map((key) => keys[key]),
      ...definition.args.map((argument) =>
        argument === 'epoch' ? storedEpoch(redis, Number(args[argument])) : args[argument],
      ),
    ];
    const reply = (await redis.eval(source, definition.keys.length, ...parameters)) as ScriptReply;
    onReply(name, reply);
    return definition.decode(reply);
  };
}

const DEFAULTS: Readonly<Record<string, number | string>> = {
  requestFingerprint: '',
  requestTtlSeconds: 500,
  earlyJoinMs: 100_000,
  finishedTtlSeconds: 500,
  returnedCount: 0,
  holdPrefix: saleKeys.holdPrefix(SALE_ID),
  paymentPrefix: saleKeys.paymentPrefix(SALE_ID),
};

/** Keys are made of these, whether or not the script gets them as arguments too. */
type Naming = 'account' | 'holdId' | 'orderId' | 'paymentId';

export interface Call<Argument extends string> {
  readonly args: Partial<Values<Argument | Naming>>;
  /** The request's `Idempotency-Key`. */
  readonly idempotencyKey?: string | undefined;
}

/** The key of an idempotent request as `SaleState` names it. */
export function requestName(accountId: number, idempotencyKey: string): string {
  return saleKeys
    .request(SALE_ID, accountId, 'hold', idempotencyKey)
    .slice(saleKeys.holdPrefix(SALE_ID).length - 'hold:'.length);
}

function keysOf(args: Readonly<Record<string, number | string>>, idempotencyKey: string | undefined) {
  const account = Number(args.account ?? 0);
  const names = ['sale', 'steps', 'remaining', 'departed', 'released', 'expiry', 'paying', 'buyers', 'bought'] as const;
  return {
    ...(Object.fromEntries(names.map((name) => [name, saleKeys[name](SALE_ID)])) as Record<
      (typeof names)[number],
      string
    >),
    numbers: saleKeys.numbers(SALE_ID, account),
    stagedReleased: saleKeys.staged(SALE_ID, 'try', 'released'),
    stagedBought: saleKeys.staged(SALE_ID, 'try', 'bought'),
    stagedReturned: saleKeys.staged(SALE_ID, 'try', 'returned'),
    returned: saleKeys.returned(SALE_ID),
    voided: saleKeys.voided(SALE_ID),
    hold: saleKeys.hold(SALE_ID, String(args.holdId ?? '')),
    payment: saleKeys.payment(SALE_ID, String(args.paymentId ?? '')),
    request: saleKeys.request(SALE_ID, account, 'hold', idempotencyKey),
  };
}

export function callScript<Argument extends string, Result>(
  run: RunScript,
  script: SaleScript<Argument, Result>,
  { args, idempotencyKey }: Call<Argument>,
): Promise<Result> {
  const { name, args: names } = script.definition;
  const given: Record<string, number | string> = { ...DEFAULTS, ...args };
  given.field = numberField(Number(given.account ?? 0));
  for (const argument of names)
    if (given[argument] === undefined) throw new Error(`the call of ${name} lacks ${argument}`);
  return run(script, keysOf(given, idempotencyKey), given as Values<Argument>);
}
