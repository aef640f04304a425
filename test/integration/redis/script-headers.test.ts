/** The headers of the Lua scripts are their contracts: this holds them against the definitions and the tables. */
import { ALL_SCRIPTS } from '@fest/server/redis/scripts/all-scripts';
import { describe, expect, it } from 'vitest';
import { listScriptNames, readHeader } from './support/script-header.ts';
import { ALL_TABLES } from './tables/all-tables.ts';

const definitions = new Map<string, { readonly keys: readonly string[]; readonly args: readonly string[] }>(
  ALL_SCRIPTS.map(({ definition }) => [definition.name, definition]),
);

describe('Lua scripts', () => {
  it('are listed in all-scripts.ts, all of them and no others', () => {
    expect([...definitions.keys()].sort()).toEqual(listScriptNames());
  });

  it('have one table each', () => {
    expect(ALL_TABLES.map(({ scriptName }) => scriptName).sort()).toEqual(listScriptNames());
  });

  it.for(listScriptNames())('%s begins with #!lua and known flags', (name) => {
    expect(readHeader(name).firstLine).toMatch(/^#!lua( flags=(no-writes|allow-oom))?$/);
  });

  it.for(listScriptNames())('%s names the keys and arguments of its definition, in their order', (name) => {
    const { keys, args } = readHeader(name);
    expect({ keys, args }).toEqual({ keys: definitions.get(name)?.keys, args: definitions.get(name)?.args });
  });

  it.for(listScriptNames())('%s says why it is there and what it replies', (name) => {
    const { lines, statuses } = readHeader(name);
    expect(lines[0]).toMatch(/^[A-Z].*[.:]?$/);
    expect(lines[0]).not.toMatch(/^KEYS/);
    expect(statuses.length).toBeGreaterThan(0);
  });

  it('free tickets and end payments even when Redis is full', () => {
    const freeing = [
      'release-hold',
      'release-lease',
      'sweep-holds',
      'confirm-payment',
      'fail-payment',
      'complete-payment',
      'forget-outcome',
      'return-tickets',
      'leave-queue',
      'tick',
    ];
    expect(listScriptNames().filter((name) => readHeader(name).firstLine.includes('allow-oom'))).toEqual(
      freeing.sort(),
    );
  });

  it('write nothing where they only read', () => {
    expect(listScriptNames().filter((name) => readHeader(name).firstLine.includes('no-writes'))).toEqual([
      'audit-state',
      'read-state',
    ]);
  });
});
