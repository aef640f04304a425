/** Tables over one Lua script: given a state and a call → the reply and the state then. */
import type { ScriptReply } from '@fest/server/redis/define-script';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { type Call, callScript, fromSources, type SaleScript } from './call-script.ts';
import { patched, readState, type SaleState, type StatePatch, writeState } from './sale-redis.ts';

export interface Row<Argument extends string, Result> extends Partial<Call<Argument>> {
  /** In place of the table's state. */
  readonly from?: SaleState;
  /** Over that state. */
  readonly given?: StatePatch;
  /** Exactly what the caller gets. */
  readonly reply: Result;
  /** Over what was given; without it nothing has changed. */
  readonly changes?: StatePatch;
  /** What the very same call replies the second time. Without it there is no second call. */
  readonly again?: Result;
  /** What the second call changes; without it nothing. */
  readonly changesAgain?: StatePatch;
}

export interface Table {
  readonly scriptName: string;
  /** `onReply` sees what the script replied before it is decoded. */
  readonly declare: (redis: () => Redis, onReply: (name: string, reply: ScriptReply) => void) => void;
}

/** Names of rows are sentences of behaviour. */
export function table<Argument extends string, Result>(
  script: SaleScript<Argument, Result>,
  base: { readonly state: SaleState } & Call<Argument>,
  rows: Readonly<Record<string, Row<Argument, Result>>>,
): Table {
  const { name } = script.definition;
  return {
    scriptName: name,
    declare(redis, onReply) {
      describe(name, () => {
        for (const [sentence, row] of Object.entries(rows)) {
          it(sentence, async () => {
            const run = fromSources(redis(), new Map(), onReply);
            const call = {
              args: { ...base.args, ...row.args },
              idempotencyKey: row.idempotencyKey ?? base.idempotencyKey,
            };
            const given = patched(row.from ?? base.state, row.given ?? {});
            await writeState(redis(), given);
            expect(await callScript(run, script, call)).toEqual(row.reply);
            const then = patched(given, row.changes ?? {});
            expect(await readState(redis())).toEqual(then);
            expectStockToAdd(then);
            if (row.again === undefined) return;
            expect(await callScript(run, script, call)).toEqual(row.again);
            expect(await readState(redis())).toEqual(patched(then, row.changesAgain ?? {}));
          });
        }
      });
    },
  };
}

function expectStockToAdd(state: SaleState): void {
  const sale = state.sale;
  if (typeof sale !== 'object' || !('capacity' in sale)) return;
  const { available, held, sold, capacity } = sale as Readonly<Record<string, number>>;
  expect(Number(available) + Number(held) + Number(sold)).toBe(capacity);
}

/** The rows every script with an epoch has. */
export function lostRows<Argument extends string>() {
  return {
    'replies missing, and writes nothing, when there is no sale': {
      given: { sale: null },
      reply: { status: 'missing' },
    },
    'replies wrongEpoch, and writes nothing, to a call of another epoch': {
      args: { epoch: 1 } as Partial<Record<Argument, number>>,
      reply: { status: 'wrongEpoch' },
    },
    'replies wrongEpoch, and writes nothing, to a state that was made in another Redis process': {
      given: { sale: { epoch: '2:0badcafe' } },
      reply: { status: 'wrongEpoch' },
    },
  } as const;
}
