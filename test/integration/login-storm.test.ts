/** More people log in at once than passwords can be checked: who is served, who is not, and what it costs the orders. */
import { randomUUID } from 'node:crypto';
import { LIMITS } from '@fest/server/limits';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GatewayStub } from '../support/gateway-stub.ts';
import { integration } from '../support/integration.ts';
import { isComplete, listen, openConnection, parseAnswer, type RawConnection } from '../support/raw-http.ts';
import { buildTestApp, type TestApp, type TestAppOptions } from '../support/test-app.ts';
import { buy, call, enter, newVisitor, outcomeOf, until } from '../support/visitor.ts';

/** About a quarter of a second each, so that those behind it surely wait. */
const SLOW = { passwordCostLog2: 17, passwordThreads: 1 } as const;

const newEmail = () => `${randomUUID()}@example.org`;
const wrongPassword = (email: string) => ({ email, password: 'not the password' });

function logInRequest(email: string, idempotencyKey?: string): string {
  const body = JSON.stringify(wrongPassword(email));
  const lines = [
    'POST /api/v1/sessions HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...(idempotencyKey === undefined ? [] : [`Idempotency-Key: ${idempotencyKey}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

integration('a storm of logins', () => {
  let fest: TestApp;
  afterEach(() => fest?.close());

  const hashes = () => fest.core.passwordHashing.stats();

  async function open(options: TestAppOptions = {}): Promise<number> {
    fest = await buildTestApp({ ...options, config: { ...SLOW, ...options.config } });
    return listen(fest);
  }

  /** Sends the requests, one connection each; resolves when all but the one that is being hashed wait. */
  async function fillLine(port: number, requests: readonly string[]): Promise<readonly RawConnection[]> {
    const connections = requests.map((request) => {
      const connection = openConnection(port);
      connection.send(request);
      return connection;
    });
    await until(
      async () => hashes().waiting,
      (waiting) => waiting === requests.length - 1,
    );
    return connections;
  }

  describe('a client that hangs up while its password waits', () => {
    it('is taken out of the line without being hashed, and those behind it are served', async () => {
      const port = await open();
      const [first, ...others] = await fillLine(
        port,
        Array.from({ length: 6 }, () => logInRequest(newEmail())),
      );
      const last = openConnection(port);
      last.send(logInRequest(newEmail()));
      await until(
        async () => hashes().waiting,
        (waiting) => waiting === 6,
      );
      for (const connection of others) connection.destroy();
      for (const connection of [first, last]) {
        expect(parseAnswer((await connection?.received(isComplete)) ?? '').status).toBe(401);
      }
      const { hashed, abandoned, ...rest } = hashes();
      expect(rest).toEqual({ waiting: 0, busy: 0, failed: 0 });
      // Of those that hang up, one may have been at work already: who is first is decided on the way.
      expect([
        [2, 5],
        [3, 4],
      ]).toContainEqual([hashed, abandoned]);
      const metrics = (await fest.app.inject({ url: '/metrics' })).body;
      expect(metrics).toContain(`\nfest_password_hashes_total{outcome="abandoned"} ${abandoned}\n`);
      expect(metrics).toContain(`\nfest_password_hashes_total{outcome="hashed"} ${hashed}\n`);
      expect(metrics).toMatch(/^fest_password_hashes_waiting 0$/m);
    });

    it('has not failed to log in: the next attempts are let through', async () => {
      const port = await open();
      const email = newEmail();
      // Two rounds of eight are more than an account may fail.
      for (let round = 0; round < 2; round += 1) {
        const requests = [newEmail(), ...Array(8).fill(email)].map((address) => logInRequest(address));
        for (const connection of await fillLine(port, requests)) connection.destroy();
        await until(
          async () => hashes().abandoned,
          // One more, when the hash of the round before takes so long that the first has to wait as well.
          (abandoned) => abandoned >= 8 * (round + 1),
          30_000,
        );
      }
      expect((await call(fest, 'POST', '/sessions', { body: wrongPassword(email) })).status).toBe(401);
    });

    it('may repeat the request with its key at once', async () => {
      const port = await open();
      const [email, key] = [newEmail(), randomUUID()];
      const [first, away] = await fillLine(port, [logInRequest(newEmail()), logInRequest(email, key)]);
      away?.destroy();
      const again = () =>
        call(fest, 'POST', '/sessions', { body: wrongPassword(email), headers: { 'idempotency-key': key } });
      // Until the key is free, which takes a statement.
      const answer = await until(again, ({ status }) => status !== 409, 2_000);
      expect(answer.status).toBe(401);
      first?.destroy();
    });
  });

  it('who is refused costs neither a statement nor a look at the body, and all come back at different times', async () => {
    // Without the server's own rounds, which ask MySQL as well.
    const port = await open({ started: false });
    const connections = await fillLine(
      port,
      Array.from({ length: LIMITS.passwordHashesWaiting + 1 }, () => logInRequest(newEmail())),
    );
    // The accounts of those who wait are read by now.
    const statements = vi.spyOn(fest.services.mysql, 'getConnection');
    const refusals = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        call(fest, 'POST', index % 2 === 0 ? '/sessions' : '/accounts', {
          body: { whatever: true },
          headers: { 'idempotency-key': randomUUID() },
        }),
      ),
    );
    const problems = refusals.map(({ body }) => body as { readonly code: string; readonly retryAfterMs: number });
    expect(refusals.map(({ status }, index) => `${status} ${problems[index]?.code}`)).toEqual(
      Array(8).fill('503 overloaded'),
    );
    for (const { retryAfterMs } of problems) {
      expect(retryAfterMs).toBeGreaterThanOrEqual(3_000);
      expect(retryAfterMs).toBeLessThanOrEqual(6_000);
    }
    expect(new Set(problems.map(({ retryAfterMs }) => retryAfterMs)).size).toBeGreaterThan(4);
    expect(statements).not.toHaveBeenCalled();
    expect(hashes().busy).toBe(8);
    for (const connection of connections) connection.destroy();
  });

  it('a server that stops sends those who wait to another one instead of serving them all', async () => {
    const port = await open();
    const connections = await fillLine(
      port,
      Array.from({ length: 40 }, () => logInRequest(newEmail())),
    );
    const startedAt = performance.now();
    const closed = fest.close();
    const answers = await Promise.all(connections.map((connection) => connection.received(isComplete)));
    await closed;
    // All of them would have taken ten seconds.
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    const codes = answers.map((text) => {
      const { status, text: body } = parseAnswer(text);
      return `${status} ${JSON.parse(body).code}`;
    });
    // The one that is being hashed is served; it may be done just before the end, and the next one have begun.
    const served = codes.filter((code) => code === '401 bad_credentials').length;
    expect([1, 2]).toContain(served);
    expect(codes.filter((code) => code === '503 overloaded')).toHaveLength(40 - served);
  });

  it('the time from the outcome at the gateway until the order is durable is measured, once for each order', async () => {
    const gateway = new GatewayStub();
    const durable: string[] = [];
    await open({
      gateway,
      // What follows the acknowledgement stumbles once, and all of it is done again.
      onPaymentStep: (step, paymentId) => {
        if (step !== 'durable') return;
        durable.push(paymentId);
        if (durable.length === 1) throw new Error('stumbled');
      },
    });
    const { id: saleId } = await fest.createSale();
    const visitors = [await newVisitor(fest), await newVisitor(fest), await newVisitor(fest)] as const;
    expect((await buy(visitors[0], saleId, await enter(visitors[0], saleId))).status).toBe('succeeded');
    gateway.decide(() => ({ kind: 'declined', failureCode: 'card_declined' }));
    expect((await buy(visitors[1], saleId, await enter(visitors[1], saleId))).status).toBe('failed');
    gateway.decide(({ amount, currency }) => ({ kind: 'captured', amount, currency }));
    const answer = gateway.stall();
    const hold = await visitors[2].hold(saleId, await enter(visitors[2], saleId));
    const { paymentId } = (await visitors[2].pay(hold.body.holdId)).body;
    const gatewayMs = 2_000;
    setTimeout(answer, gatewayMs);
    expect((await outcomeOf(visitors[2], paymentId)).status).toBe('succeeded');
    expect(durable).toEqual([durable[0], durable[0], paymentId]);
    const metrics = (await fest.app.inject({ url: '/metrics' })).body;
    expect(metrics).toMatch(/^fest_order_acknowledgement_seconds_count 2$/m);
    const seconds = Number(/^fest_order_acknowledgement_seconds_sum (\S+)$/m.exec(metrics)?.[1]);
    expect(seconds).toBeGreaterThan(0);
    // What the gateway took is not in it.
    expect(seconds).toBeLessThan(gatewayMs / 1_000);
  });
});
