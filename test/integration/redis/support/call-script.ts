/** Runs Lua scripts with keys and common arguments filled in; a test may put another source in a script's place. */
import { readScriptSource, type Script, type ScriptReply } from '@fest/server/redis/define-script';
import { numberField, saleKeys } from '@fest/server/redis/keys';
import type { Redis } from 'ioredis';
import { SALE_ID } from './sale-redis.ts';

export type KeyName = Exclude<keyof typeof saleKeys, 'holdPrefix'>;
export type Values<Name extends string> = Readonly<Record<Name, number | string>>;

/** Every script of `scripts.ts` is one of these. */
export type SaleScript<Argument extends string = string, Result = unknown> = Script<KeyName, Argument, Result>;

export type RunScript = <Argument extends string, Result>(
  script: SaleScript<Argument, Result>,
  keys: Values<KeyName> & Readonly<Record<KeyName, string>>,
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
  return async ({ definition }, keys, args) => {
    const source = sources.get(definition.name) ?? readScriptSource(definition.name);
    const parameters = [
      ...definition.keys.map((key) => keys[key]),
      ...definition.args.map((argument) => args[argument]),
    ];
    const reply = (await redis.eval(source, definition.keys.length, ...parameters)) as ScriptReply;
    onReply(definition.name, reply);
    return definition.decode(reply);
  };
}

const DEFAULTS: Readonly<Record<string, number | string>> = {
  requestFingerprint: '',
  requestTtlSeconds: 500,
  finishedTtlSeconds: 500,
  holdPrefix: saleKeys.holdPrefix(SALE_ID),
};

export interface Call<Argument extends string> {
  readonly args: Partial<Values<Argument>>;
  /** The request's `Idempotency-Key`. */
  readonly idempotencyKey?: string | undefined;
}

/** The key of an idempotent request as `SaleState` names it. */
export function requestName(accountId: number, idempotencyKey: string): string {
  return saleKeys
    .request(SALE_ID, accountId, idempotencyKey)
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
    hold: saleKeys.hold(SALE_ID, String(args.orderId ?? args.holdId ?? '')),
    payment: saleKeys.payment(SALE_ID, String(args.paymentId ?? '')),
    request: saleKeys.request(SALE_ID, account, idempotencyKey),
  };
}

export function callScript<Argument extends string, Result>(
  run: RunScript,
  script: SaleScript<Argument, Result>,
  { args, idempotencyKey }: Call<Argument>,
): Promise<Result> {
  const given: Record<string, number | string> = {
    ...DEFAULTS,
    field: numberField(Number({ ...args }['account' as Argument] ?? 0)),
  };
  for (const [name, value] of Object.entries<number | string | undefined>(args))
    if (value !== undefined) given[name] = value;
  const values = Object.fromEntries(
    script.definition.args.map((name) => {
      const value = given[name];
      if (value === undefined) throw new Error(`the call of ${script.definition.name} lacks ${name}`);
      return [name, value];
    }),
  ) as Values<Argument>;
  // A script that takes an order id takes no hold: `complete-payment` names both, and means the hold.
  const keys = keysOf(
    script.definition.args.includes('holdId' as Argument) ? { ...given, orderId: String(given.holdId) } : given,
    idempotencyKey,
  );
  return run(script, keys, values);
}
