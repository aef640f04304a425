/**
 * Proof of the checker: each row plants one bug in a Lua script, and the comparison with the model has to notice it.
 * A row whose text is no longer in its script fails, so that the proof keeps up with the scripts.
 */
import { readScriptSource } from '@fest/server/redis/define-script';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { integration } from '../../support/integration.ts';
import { commands } from './commands.ts';
import { Mismatch, Play } from './play.ts';
import { fromSources } from './support/call-script.ts';
import { connectEmptyRedis } from './support/sale-redis.ts';

/** Always the same runs: whether a bug is found must not depend on luck. Most are found within ten of them. */
const SEED = 1;
const RUNS_AT_MOST = 300;

interface PlantedBug {
  readonly bug: string;
  readonly script: string;
  readonly right: string;
  readonly wrong: string;
}

const NO_EPOCH: readonly PlantedBug[] = [
  ...[
    'take-hold',
    'release-hold',
    'confirm-payment',
    'return-tickets',
    'advance-serving',
    'tick',
    'leave-queue',
    'change-phase',
    'set-admission',
  ].map((script) => ({ script, right: 's[1] ~= ARGV[1]' })),
  ...['sweep-holds', 'begin-payment', 'fail-payment'].map((script) => ({ script, right: 'epoch ~= ARGV[1]' })),
]
  // A serving number is of one epoch: the expected one is checked as well, so this check is never the only one.
  .filter(({ script }) => script !== 'advance-serving')
  .map(({ script, right }) => ({ bug: `${script} does not check the epoch`, script, right, wrong: 'false' }));

const BUGS: readonly PlantedBug[] = [
  ...NO_EPOCH,
  {
    bug: 'the limit per buyer is off by one',
    script: 'take-hold',
    right: 'if has + quantity > limit then',
    wrong: 'if has + quantity > limit + 1 then',
  },
  {
    bug: 'the stock is off by one',
    script: 'take-hold',
    right: 'if available < quantity then',
    wrong: 'if available + 1 < quantity then',
  },
  { bug: 'a second hold beside a live one', script: 'take-hold', right: 'if live then', wrong: 'if false then' },
  {
    bug: 'a hold that is not remembered under its Idempotency-Key',
    script: 'take-hold',
    right: "remember(holdId)\nreturn {'held'",
    wrong: "return {'held'",
  },
  {
    bug: 'a live hold that is not remembered under the Idempotency-Key it was told for',
    script: 'take-hold',
    right: '    remember(live)\n',
    wrong: '',
  },
  {
    bug: 'an Idempotency-Key that fits any body',
    script: 'take-hold',
    right: 'if seenFingerprint ~= fingerprint then',
    wrong: 'if not seenHold then',
  },
  {
    bug: 'a hold for a number that waits',
    script: 'take-hold',
    right: "if number > serving then return {'notAdmitted', serving} end",
    wrong: '',
  },
  {
    bug: 'an admission that lasts a millisecond longer',
    script: 'take-hold',
    right: 'atMs + tonumber(s[7]) <= windowMs',
    wrong: 'atMs + tonumber(s[7]) < windowMs',
  },
  {
    bug: 'a fresh ticket number too high',
    script: 'take-hold',
    right: 'for number = nextFresh - fresh, nextFresh - 1 do',
    wrong: 'for number = nextFresh - fresh + 1, nextFresh do',
  },
  {
    bug: 'released without being its owner',
    script: 'release-hold',
    right: 'if h[3] ~= account then',
    wrong: 'if not h[3] then',
  },
  {
    bug: 'released while it is paid',
    script: 'release-hold',
    right: "if h[4] ~= 'held' then return {h[4]} end",
    wrong: "if h[4] ~= 'held' and h[4] ~= 'paying' then return {h[4]} end",
  },
  {
    bug: 'a hold of another epoch that is released into the stock of this one',
    script: 'release-hold',
    right: "if h[9] ~= s[1] then return {'released'} end",
    wrong: '',
  },
  {
    bug: 'a slot that is taken again by one who gave the hold back',
    script: 'release-hold',
    right: "redis.call('ZADD', departed, number, number)",
    wrong: '',
  },
  {
    bug: 'a turn that goes on after its hold expired',
    script: 'release-hold',
    right: ' and tonumber(h[8]) > nowMs then',
    wrong: ' then',
  },
  {
    bug: 'held tickets that stay counted after the hold',
    script: 'release-hold',
    right: "redis.call('HINCRBY', saleKey, 'held', -quantity)",
    wrong: '',
  },
  {
    bug: 'a sweep that does not look at the time',
    script: 'sweep-holds',
    right: "'-inf', nowMs, 'BYSCORE'",
    wrong: "'-inf', '+inf', 'BYSCORE'",
  },
  {
    bug: 'a queue number that outlives the swept hold',
    script: 'sweep-holds',
    right: "if redis.call('HGET', h[6], h[7]) == h[5] then",
    wrong: 'if false then',
  },
  {
    bug: 'a payment that begins exactly when the hold expires',
    script: 'begin-payment',
    right: 'tonumber(h[3]) <= nowMs',
    wrong: 'tonumber(h[3]) < nowMs',
  },
  {
    bug: 'a payment of somebody else’s hold',
    script: 'begin-payment',
    right: 'if h[1] ~= account then',
    wrong: 'if not h[1] then',
  },
  {
    bug: 'a second payment beside one under way',
    script: 'begin-payment',
    right: "if h[2] == 'paying' or h[2] == 'sold' then",
    wrong: "if h[2] == 'sold' then",
  },
  { bug: 'a payment for a hold of another epoch', script: 'begin-payment', right: 'h[7] ~= epoch', wrong: 'false' },
  {
    bug: 'a payment that is not remembered under the Idempotency-Key it was told for',
    script: 'begin-payment',
    right: '  remember(h[6])\n',
    wrong: '',
  },
  {
    bug: 'a second confirmation that sells twice',
    script: 'confirm-payment',
    right: "if h[1] == 'sold' and ours and current then",
    wrong: 'if false then',
  },
  {
    bug: 'a hold of another epoch that is sold as it was',
    script: 'confirm-payment',
    right: 'local current = h[10] == s[1]',
    wrong: 'local current = true',
  },
  {
    bug: 'other tickets beyond the stock',
    script: 'confirm-payment',
    right: 'if tonumber(s[4]) < quantity or',
    wrong: 'if',
  },
  {
    bug: 'other tickets beyond the limit per buyer',
    script: 'confirm-payment',
    right: ' or has + quantity > tonumber(s[5]) then',
    wrong: ' then',
  },
  {
    bug: 'other tickets beside a live hold beyond the limit per buyer',
    script: 'confirm-payment',
    right: 'if live then has',
    wrong: 'if false then has',
  },
  {
    bug: 'tickets sold for another amount',
    script: 'confirm-payment',
    right: 'if h[3] and h[3] ~= amount then',
    wrong: 'if false then',
  },
  {
    bug: 'sold tickets that are not counted for the buyer',
    script: 'confirm-payment',
    right: "redis.call('HINCRBY', bought, account, quantity)",
    wrong: '',
  },
  {
    bug: 'a failure that ends another payment of the hold',
    script: 'fail-payment',
    right: " or h[2] ~= paymentId then return {'gone', 0} end",
    wrong: " then return {'gone', 0} end",
  },
  {
    bug: 'a declined buyer without the grace',
    script: 'fail-payment',
    right: 'math.max(tonumber(h[3]), nowMs + tonumber(ARGV[6]))',
    wrong: 'tonumber(h[3])',
  },
  {
    bug: 'tickets that come back twice',
    script: 'return-tickets',
    right: "if redis.call('SADD', returned, orderId) == 0 then",
    wrong: 'if false then',
  },
  {
    bug: 'one buyer too many inside',
    script: 'take-hold',
    right: 'if tonumber(s[16]) >= tonumber(s[17]) then',
    wrong: 'if tonumber(s[16]) > tonumber(s[17]) then',
  },
  {
    bug: 'a time that runs out at the door',
    script: 'take-hold',
    right: "if tonumber(s[19] or 0) == 0 then redis.call('HSET', sale, 'windowsStoppedAtMs', ARGV[2]) end",
    wrong: '',
  },
  {
    bug: 'a stop of the windows that begins anew with everybody who comes',
    script: 'take-hold',
    right: 'if tonumber(s[19] or 0) == 0 then',
    wrong: 'if true then',
  },
  {
    bug: 'a slot that waits for one who came for nothing',
    script: 'take-hold',
    right: "  giveSlotUp()\n  return {'soldOut', available}",
    wrong: "  return {'soldOut', available}",
  },
  {
    bug: 'a slot that waits for one who is at the limit',
    script: 'take-hold',
    right: "  giveSlotUp()\n  return {'limitReached', has, limit}",
    wrong: "  return {'limitReached', has, limit}",
  },
  {
    bug: 'a slot that is given up by each request for nothing',
    script: 'take-hold',
    right: "if redis.call('ZADD', departed, number, number) == 0 then return end",
    wrong: "redis.call('ZADD', departed, number, number)",
  },
  {
    bug: 'a slot that is taken twice by one who came for nothing before',
    script: 'take-hold',
    right: "if redis.call('ZREM', departed, number) == 0 then",
    wrong: 'if true then',
  },
  {
    bug: 'a slot that is freed twice by one who came for nothing and leaves',
    script: 'leave-queue',
    right: "if step and redis.call('ZREM', departed, number) == 0 then",
    wrong: 'if step then',
  },
  {
    bug: 'shows of the wrong age',
    script: 'take-hold',
    right: 'ageClass(windowMs - atMs)',
    wrong: 'ageClass(nowMs)',
  },
  {
    bug: 'who came for nothing is forgotten when others are admitted',
    script: 'advance-serving',
    right: "redis.call('ZREMRANGEBYSCORE', departed, '(' .. serving, target)",
    wrong: "redis.call('ZREMRANGEBYSCORE', departed, '-inf', target)",
  },
  {
    bug: 'people who are admitted while all places are taken',
    script: 'advance-serving',
    right: 'if admitted > 0 and tonumber(s[7]) >= tonumber(s[8]) then',
    wrong: 'if false then',
  },
  {
    bug: 'more pending than was decided',
    script: 'advance-serving',
    right: 'if tonumber(s[6]) + admitted > pendingAtMost then',
    wrong: 'if false then',
  },
  {
    bug: 'people who are admitted to a paused sale',
    script: 'advance-serving',
    right: " or s[9] ~= 'open' then",
    wrong: ' then',
  },
  {
    bug: 'a step in the time of the clock',
    script: 'advance-serving',
    right: 'windowTime(nowMs, s[10], s[11])',
    wrong: 'nowMs',
  },
  {
    bug: 'windows that run while the sale is paused',
    script: 'change-phase',
    right: "if to == 'paused' and tonumber(s[5] or 0) == 0 then",
    wrong: 'if false then',
  },
  {
    bug: 'windows that stand still for good',
    script: 'tick',
    right: "if stoppedAtMs > 0 and (phase == 'closed' or",
    wrong: "if false and (phase == 'closed' or",
  },
  {
    bug: 'windows that go on while all places are taken',
    script: 'tick',
    right: ' and inside < tonumber(s[15]))) then',
    wrong: ')) then',
  },
  {
    bug: 'an admission that is told without the time the windows stood still',
    script: 'join-queue',
    right: 'return 1, atMs + admissionMs + nowMs - windowMs',
    wrong: 'return 1, atMs + admissionMs',
  },
  {
    bug: 'the memory of the admission controller is lost with its leader',
    script: 'tick',
    right: "redis.call('HSET', sale, 'controller', controller)",
    wrong: 'controller = controller',
  },
  { bug: 'an old leader that admits', script: 'advance-serving', right: ' or s[3] ~= fence', wrong: '' },
  { bug: 'an advance on top of another', script: 'advance-serving', right: ' or serving ~= expected', wrong: '' },
  {
    bug: 'a serving number beyond the last drawn',
    script: 'advance-serving',
    right: 'local target = math.min(drawn, serving + admit)',
    wrong: 'local target = serving + admit',
  },
  {
    bug: 'ghosts that take slots',
    script: 'advance-serving',
    right: "return number - serving - redis.call('ZCOUNT', departed, '(' .. serving, number)",
    wrong: 'return number - serving',
  },
  {
    bug: 'ghosts that take the turn of others',
    script: 'advance-serving',
    right: 'if peopleUpTo(target) < target - serving then',
    wrong: 'if false then',
  },
  {
    bug: 'ghosts that are passed over without end',
    script: 'advance-serving',
    right: 'target = math.min(drawn, target + ghostsAtMost)',
    wrong: 'target = drawn',
  },
  {
    bug: 'ghosts beyond the last number drawn',
    script: 'advance-serving',
    right: 'target = math.min(drawn, target + ghostsAtMost)',
    wrong: 'target = target + ghostsAtMost',
  },
  {
    bug: 'a search that stops one person early',
    script: 'advance-serving',
    right: 'if peopleUpTo(middle) >= admit then',
    wrong: 'if peopleUpTo(middle) >= admit - 1 then',
  },
  {
    bug: 'slots that are freed a millisecond late',
    script: 'tick',
    right: 'tonumber(atMs) + admissionMs > windowMs then break',
    wrong: 'tonumber(atMs) + admissionMs >= windowMs then break',
  },
  { bug: 'two leaders at once', script: 'tick', right: 'and beat ~= idleBeat then', wrong: 'and false then' },
  {
    bug: 'a new leader with the old fence',
    script: 'tick',
    right: "fence = redis.call('HINCRBY', sale, 'fence', 1)",
    wrong: '',
  },
  {
    bug: 'a ghost nobody knows of after a move to the tail',
    script: 'join-queue',
    right: "if known > serving then redis.call('ZADD', departed, known, known) end",
    wrong: '',
  },
  {
    bug: 'a repeated join that moves again',
    script: 'join-queue',
    right: "(s[9] == 'keep' or repeated)",
    wrong: "s[9] == 'keep'",
  },
  {
    bug: 'a number that is drawn a millisecond too early',
    script: 'join-queue',
    right: 'nowMs >= opensAtMs - earlyJoinMs',
    wrong: 'nowMs >= opensAtMs - earlyJoinMs - 1',
  },
  {
    bug: 'a number that is drawn a millisecond too late',
    script: 'join-queue',
    right: 'nowMs >= opensAtMs - earlyJoinMs',
    wrong: 'nowMs > opensAtMs - earlyJoinMs',
  },
  {
    bug: 'a number that is drawn while the sale is paused',
    script: 'join-queue',
    right: "local isEarly = phase == 'scheduled' and",
    wrong: "local isEarly = phase ~= 'closed' and",
  },
  {
    bug: 'people who are admitted before the opening',
    script: 'advance-serving',
    right: " or s[9] ~= 'open' then",
    wrong: " or s[9] == 'paused' or s[9] == 'closed' then",
  },
  {
    bug: 'a rejoin that changes the number though the rule is keep',
    script: 'join-queue',
    right: "(s[9] == 'keep' or repeated)",
    wrong: 'repeated',
  },
  {
    bug: 'a slot that is freed for a buyer who holds',
    script: 'leave-queue',
    right: "redis.call('HEXISTS', buyers, account) == 0",
    wrong: 'true',
  },
  {
    bug: 'a capacity below a number that was given out',
    script: 'configure-sale',
    right: 'if capacity < nextFresh - 1 then',
    wrong: 'if capacity < nextFresh - 2 then',
  },
  {
    bug: 'old settings over new ones',
    script: 'configure-sale',
    right: 'if tonumber(known[1]) >= version then',
    wrong: 'if false then',
  },
  {
    bug: 'an outcome of an epoch that is over, told as the latest',
    script: 'complete-payment',
    right: "if redis.call('HGET', sale, 'epoch') == ARGV[1] then",
    wrong: 'if true then',
  },
  { bug: 'a sale that is created over another', script: 'create-sale', right: 'if epoch then', wrong: 'if false then' },
];

integration('a planted bug is found by the model', () => {
  let redis: Redis;

  beforeAll(async () => {
    redis = await connectEmptyRedis();
  });
  afterAll(() => redis.disconnect());

  it.for(BUGS)('$script: $bug', async ({ script, right, wrong }) => {
    const source = readScriptSource(script);
    expect(source.split(right)).toHaveLength(2);
    const run = fromSources(redis, new Map([[script, source.replace(right, () => wrong)]]));
    const property = fc.asyncProperty(commands, (list) => new Play(redis, run).play(list));
    const { failed, errorInstance, numRuns } = await fc.check(property, {
      numRuns: RUNS_AT_MOST,
      seed: SEED,
      endOnFailure: true,
    });
    expect(failed, `not noticed in ${numRuns} runs`).toBe(true);
    expect(errorInstance).toBeInstanceOf(Mismatch);
  });
});
