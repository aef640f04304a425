/** Work instead of a refusal: what a join without it, with a wrong one and with the right one is answered. */
import { solveChallenge } from '@fest/loadtest/buyers/proof-of-work';
import { simulateBuyers } from '@fest/loadtest/buyers/simulate-buyers';
import type { WorkChallenge } from '@fest/server/contract/problems';
import type { QueueTicket } from '@fest/server/contract/schemas';
import { LIMITS } from '@fest/server/limits';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { counts, from, type Person, people, personAt } from '../support/crowds.ts';
import { integration } from '../support/integration.ts';
import { faultsOfProblem } from '../support/problem-checks.ts';
import { listen } from '../support/raw-http.ts';
import { recordCommands } from '../support/redis-commands.ts';
import { buildTestApp, ManualClock, type TestApp } from '../support/test-app.ts';
import { type Answer, newVisitors, refusalOf, until } from '../support/visitor.ts';

const BITS = 6;
const clock = new ManualClock();
/** Asks for work beyond ten from one address. */
let adaptive: TestApp;
/** Asks everybody. */
let always: TestApp;
let saleId: number;
beforeAll(async () => {
  const shared = { trustProxy: 1, joinChallengeBits: BITS } as const;
  adaptive = await buildTestApp({
    clock,
    started: false,
    config: { ...shared, joinChallenge: 'adaptive', joinsPerAddress: 10 },
  });
  always = await buildTestApp({
    clock,
    started: false,
    besides: adaptive,
    config: { ...shared, joinChallenge: 'always' },
  });
  saleId = (await adaptive.createSale({ capacity: 10_000 })).id;
  await always.core.live.load(saleId);
  // Redis has to be sent each script's source once.
  await join(adaptive, personAt(adaptive, '10.0.0.1'));
});
afterAll(async () => {
  await always?.close();
  await adaptive?.close();
});

function join(at: TestApp, person: Person, proof?: string, sale = saleId): Promise<Answer<QueueTicket>> {
  const headers: Record<string, string> = proof === undefined ? {} : { 'proof-of-work': proof };
  return from<QueueTicket>(at, person, 'POST', `/sales/${sale}/queue`, { headers });
}

async function challengeFor(at: TestApp, person: Person, sale = saleId): Promise<WorkChallenge> {
  const answer = await join(at, person, undefined, sale);
  expect(refusalOf(answer)).toBe('403 challenge_required');
  expect(faultsOfProblem(at.app, answer)).toEqual([]);
  if (answer.problem.challenge === undefined) throw new Error('there is no challenge');
  return answer.problem.challenge;
}

async function joinWithWork(at: TestApp, person: Person): Promise<Answer<QueueTicket>> {
  return join(at, person, solveChallenge(await challengeFor(at, person)));
}

async function outcomes(at: TestApp): Promise<Readonly<Record<string, number>>> {
  const { body } = await at.app.inject({ url: '/metrics' });
  const lines = [...body.matchAll(/^fest_join_challenges_total\{outcome="(\w+)"\} (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, name = '', count]) => [name, Number(count)]));
}

integration('where an address is asked for work beyond what it may do', () => {
  test('a crowd behind one address gets in: the first as they come, the others for their work', async () => {
    const crowd = people(adaptive, 30, () => '203.0.113.1');
    const answers: string[] = [];
    const needed: number[] = [];
    for (const person of crowd) {
      const first = await join(adaptive, person);
      answers.push(refusalOf(first));
      const { challenge } = first.status === 200 ? {} : first.problem;
      if (challenge === undefined) continue;
      needed.push(challenge.bits);
      expect((await join(adaptive, person, solveChallenge(challenge))).status).toBe(200);
    }
    expect(counts(answers)).toEqual({ 200: 10, '403 challenge_required': 20 });
    // One more when twice as many have come as may at once.
    expect(counts(needed)).toEqual({ [BITS]: 10, [BITS + 1]: 10 });
    // Nobody elsewhere is asked.
    expect((await join(adaptive, personAt(adaptive, '203.0.113.2'))).status).toBe(200);
  });

  test('asking costs no Redis command, and a join with the work one', async () => {
    for (const person of people(adaptive, 10, () => '203.0.113.3')) await join(adaptive, person);
    const commands = await recordCommands(adaptive);
    const ada = personAt(adaptive, '203.0.113.3');
    let challenge: WorkChallenge | undefined;
    const asking = await commands.during(async () => {
      challenge = await challengeFor(adaptive, ada);
    });
    const proof = challenge === undefined ? '' : solveChallenge(challenge);
    const joining = await commands.during(async () => {
      expect((await join(adaptive, ada, proof)).status).toBe(200);
    });
    commands.stop();
    expect([asking, joining]).toEqual([[], ['EVALSHA']]);
  });

  test('the address is free again after a while', async () => {
    for (const person of people(adaptive, 10, () => '203.0.113.4')) await join(adaptive, person);
    await challengeFor(adaptive, personAt(adaptive, '203.0.113.4'));
    clock.advance(6_000);
    expect((await join(adaptive, personAt(adaptive, '203.0.113.4'))).status).toBe(200);
  });

  test('who only asks for challenges does not make them harder for the others', async () => {
    for (const person of people(adaptive, 10, () => '203.0.113.5')) await join(adaptive, person);
    for (const person of people(adaptive, 50, () => '203.0.113.5')) {
      expect((await challengeFor(adaptive, person)).bits).toBe(BITS);
    }
  });

  test('whoever cannot be told apart by the address is not asked', async () => {
    const answers = await Promise.all(people(adaptive, 30, () => '192.168.1.1').map((one) => join(adaptive, one)));
    expect(counts(answers.map(refusalOf))).toEqual({ 200: 30 });
  });
});

integration('where everybody is asked for work', () => {
  test('the right one is good for a number, and again for the same number', async () => {
    const ada = personAt(always, '10.0.0.1');
    const proof = solveChallenge(await challengeFor(always, ada));
    const { number } = (await join(always, ada, proof)).body;
    expect((await join(always, ada, proof)).body.number).toBe(number);
  });

  test('one made by another server is as good', async () => {
    for (const person of people(adaptive, 10, () => '203.0.113.9')) await join(adaptive, person);
    const ada = personAt(adaptive, '203.0.113.9');
    expect((await join(always, ada, solveChallenge(await challengeFor(adaptive, ada)))).status).toBe(200);
    const bob = personAt(adaptive, '203.0.113.9');
    expect((await join(adaptive, bob, solveChallenge(await challengeFor(always, bob)))).status).toBe(200);
  });

  test.each([
    ['garbage', 'not one', async () => 'garbage'],
    ['a made-up one', 'not one', async () => `${'AQ'.repeat(16)}${'.0'.repeat(8)}`],
    [
      'the one of another account',
      'not one',
      async () => solveChallenge(await challengeFor(always, personAt(always, '10.0.0.1'))),
    ],
    [
      'the one for another sale',
      'not one',
      async (ada: Person) => {
        const other = await adaptive.createSale();
        return solveChallenge(await challengeFor(always, ada, other.id));
      },
    ],
    [
      'one that has expired',
      'has expired',
      async (ada: Person) => {
        const proof = solveChallenge(await challengeFor(always, ada));
        clock.advance(LIMITS.challengeTtlMs);
        return proof;
      },
    ],
    [
      'one of too little work',
      'not complete',
      async (ada: Person) => {
        const challenge = await challengeFor(always, ada);
        // That eight nonces fit by chance happens once in 2^48.
        return `${challenge.text}${'.0'.repeat(challenge.puzzles)}`;
      },
    ],
    [
      'one made for less work than was asked',
      'not one',
      async (ada: Person) => {
        const challenge = await challengeFor(always, ada);
        const bytes = Buffer.from(challenge.text, 'base64url');
        bytes[1] = 1;
        return solveChallenge({ ...challenge, text: bytes.toString('base64url'), bits: 1 });
      },
    ],
  ])('with %s one is asked again, and told why', async (_, why, proofOf) => {
    const ada = personAt(always, '10.0.0.1');
    const answer = await join(always, ada, await proofOf(ada));
    expect(refusalOf(answer)).toBe('403 challenge_required');
    expect(answer.problem.detail).toContain(why);
    const { challenge } = answer.problem;
    if (challenge === undefined) throw new Error('there is no challenge');
    expect((await join(always, ada, solveChallenge(challenge))).status).toBe(200);
  });

  test('work that was done before the opening is good for it', async () => {
    const sale = await adaptive.createSale({ opened: false });
    await always.core.live.load(sale.id);
    const ada = personAt(always, '10.0.0.1');
    const proof = solveChallenge(await challengeFor(always, ada, sale.id));
    expect(refusalOf(await join(always, ada, proof, sale.id))).toBe('409 sale_not_open');
    clock.advance(LIMITS.challengeTtlMs - 1);
    expect(refusalOf(await join(always, ada, proof, sale.id))).toBe('409 sale_not_open');
  });

  test('an account that asks again and again is refused before anything is made for it', async () => {
    const ada = personAt(always, '10.0.0.1');
    const answers: string[] = [];
    for (let attempt = 0; attempt < 25; attempt += 1) answers.push(refusalOf(await join(always, ada)));
    expect(counts(answers)).toEqual({ '403 challenge_required': 20, '429 rate_limited': 5 });
  });

  test('what was asked, solved and refused is counted', async () => {
    const before = await outcomes(always);
    await joinWithWork(always, personAt(always, '10.0.0.1'));
    await join(always, personAt(always, '10.0.0.1'), 'garbage');
    const after = await outcomes(always);
    const changed = Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]);
    expect(Object.fromEntries(changed)).toEqual({ asked: 1, solved: 1, foreign: 1, expired: 0, unsolved: 0 });
  });
});

integration('simulated buyers', () => {
  test('do their work, and buy', async () => {
    const market = await buildTestApp({ config: { joinChallenge: 'always', joinChallengeBits: BITS } });
    const port = await listen(market);
    const sale = await market.createSale({ capacity: 1_000 });
    await until(
      async () => market.core.live.get(sale.id)?.phase,
      (phase) => phase === 'open',
    );
    const visitors = await newVisitors(market, 25);
    const report = await simulateBuyers({
      baseUrls: [`http://127.0.0.1:${port}`],
      saleId: sale.id,
      tokens: visitors.map(({ token }) => token),
      behaviour: { neverHoldShare: 0, neverPayShare: 0, quantityWeights: [1] },
    });
    await market.close();
    expect(report.failures).toEqual([]);
    expect(report.outcomes.bought).toBe(25);
    expect(report.answers['403 challenge_required']).toBe(25);
  });
});
