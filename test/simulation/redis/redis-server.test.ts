/** The simulated Redis runs the same scripts to the same replies and the same states as the real one. */
import { watchRun } from '@fest/server/redis/run-id';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commands } from '../../integration/redis/commands.ts';
import { Play } from '../../integration/redis/play.ts';
import { fromSources } from '../../integration/redis/support/call-script.ts';
import { ALL_TABLES } from '../../integration/redis/tables/all-tables.ts';
import { compileLua } from '../lua/compile.ts';
import { createRedisClient } from './redis-client.ts';
import { RedisServer } from './redis-server.ts';

function simulatedRedis() {
  const server = new RedisServer({ nowMs: Date.now, newRunId: () => 'abcdef01'.repeat(5) });
  const redis = createRedisClient(async (name, args) => server.execute(name, args));
  void watchRun(redis);
  redis.emit('ready');
  return redis;
}

describe('the scripts’ tables on the simulated Redis', () => {
  const redis = simulatedRedis();
  for (const { declare } of ALL_TABLES) {
    declare(
      () => redis,
      () => undefined,
    );
  }
});

it('follows the model of a sale under random commands', { timeout: 60_000 }, async () => {
  const redis = simulatedRedis();
  const property = fc.asyncProperty(commands, (list) => new Play(redis, fromSources(redis, new Map())).play(list));
  await fc.assert(property, { numRuns: 100 });
});

describe('Lua', () => {
  /** What a script replies without any command. */
  const evaluate = (source: string, ...args: string[]) => compileLua(source).run(() => null, [], args);

  it.each([
    ["return {1.9, -1.9, 'x', true, false}", [1, -1, 'x', 1, null]],
    ["return {'a', nil}", ['a']],
    ["return 1e15 .. ''", '1e+15'],
    ["return 0.1 .. '|' .. 1700000000000 .. '|' .. 3", '0.1|1700000000000|3'],
    ["return string.format('%.0f', 1700000000000 * 1000)", '1700000000000000'],
    ["return {string.match('7:1700', '^(%d+):(%d+)$')}", ['7', '1700']],
    ["local a, b = string.match('none', '^(%d+):(%d+)$') return {a == nil and 1 or 0, b == nil and 1 or 0}", [1, 1]],
    ["return {'10' + 5, '7' * '6', 7 % 3, -7 % 3}", [15, 42, 1, 2]],
    ["return {tonumber('12x') == nil and 'nil' or 'number', tonumber(' 12 '), tonumber('1e3')}", ['nil', 12, 1000]],
    [
      "return {string.sub('fest:hold:h1', 1, -1 - #'h1'), string.sub('abc', 2), string.sub('abc', -2, -2)}",
      ['fest:hold:', 'bc', 'b'],
    ],
    ["local t = {} t[#t + 1] = 'a' t[#t + 1] = 'b' return table.concat(t, ',')", 'a,b'],
    ['local s = 0 for i = 3, 1 do s = s + 1 end for i = 1, 3 do s = s + i end return s', 6],
    ["local n = {} for w in string.gmatch('1,22,333', '%d+') do n[#n + 1] = tonumber(w) end return n", [1, 22, 333]],
    [
      "return {(1 < 2 and 'yes' or 'no'), not nil and 1 or 0, 2 ~= 3 and 1 or 0, 'a' < 'b' and 1 or 0}",
      ['yes', 1, 1, 1],
    ],
    ['local function two() return 1, 2 end return {two(), two()}', [1, 1, 2]],
    ['local t = {open = {paused = 1}} return t.open.paused', 1],
    ['return ARGV[1] .. #ARGV', 'x2'],
  ])('%s', (source, reply) => {
    expect(evaluate(source, 'x', 'y')).toEqual(reply);
  });

  it.each(['return pairs({})', 'x = 1', 'return string.rep("a", 3)', 'return redis.call(ARGV[1])', 'goto done'])(
    'refuses what it does not know instead of guessing: %s',
    (source) => {
      expect(() => compileLua(source)).toThrow(/line \d+/);
    },
  );
});
