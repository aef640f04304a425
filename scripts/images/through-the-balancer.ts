/** What a deployment of two image servers behind the load balancer has to show; each a sentence that holds, or an error. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Deployment {
  /** Of the load balancer. */
  readonly url: string;
  /** A sale with tickets for everybody, which is open. */
  readonly saleId: number;
}

interface Reply {
  readonly status: number;
  readonly requestId: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

const PASSWORD = randomBytes(12).toString('base64url');
const OUTCOME_WITHIN_MS = 20_000;

/** @throws when the answer has another status */
async function ask(
  { url }: Deployment,
  method: string,
  path: string,
  status: number,
  { body, headers = {} }: { readonly body?: object; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await answer.text();
  if (answer.status !== status) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
  return { status: answer.status, requestId: answer.headers.get('x-request-id'), body: JSON.parse(text || '{}') };
}

/** A buyer's way to ask. */
export interface Buyer {
  readonly authorization: string;
}

export async function signUp(deployment: Deployment): Promise<Buyer> {
  const email = `${randomBytes(6).toString('hex')}@example.org`;
  await ask(deployment, 'POST', '/accounts', 201, { body: { email, password: PASSWORD, name: 'A Buyer' } });
  const session = await ask(deployment, 'POST', '/sessions', 201, { body: { email, password: PASSWORD } });
  return { authorization: `Bearer ${session.body.accessToken}` };
}

/** Joins, waits, holds, pays, and asks until there is an outcome. @returns the order's id */
export async function buy(deployment: Deployment, buyer?: Buyer): Promise<string> {
  const headers = { ...(buyer ?? (await signUp(deployment))) };
  const { saleId } = deployment;
  const joined = await ask(deployment, 'POST', `/sales/${saleId}/queue`, 200, { headers });
  const inLine = { ...headers, 'queue-token': String(joined.body.queueToken) };
  const until = async (path: string, wanted: (body: Reply['body']) => boolean): Promise<Reply['body']> => {
    for (const deadline = Date.now() + OUTCOME_WITHIN_MS; Date.now() < deadline; await sleep(250)) {
      const { body } = await ask(deployment, 'GET', path, 200, { headers: inLine });
      if (wanted(body)) return body;
    }
    throw new Error(`${path} did not come to an end within ${OUTCOME_WITHIN_MS / 1_000} s`);
  };
  await until(`/sales/${saleId}/queue`, ({ admitted }) => admitted === true);
  const held = await ask(deployment, 'POST', `/sales/${saleId}/holds`, 201, { headers: inLine, body: { quantity: 1 } });
  const paying = { headers, body: { method: 'card' } };
  const paid = await ask(deployment, 'POST', `/holds/${held.body.holdId}/payments`, 202, paying);
  const outcome = await until(`/payments/${paid.body.paymentId}`, ({ status }) => status !== 'pending');
  if (outcome.status !== 'succeeded') throw new Error(`a payment ended ${JSON.stringify(outcome)}`);
  return String(outcome.orderId);
}

/** Gives an order back, and waits until the money is on its way and the tickets are free. */
export async function cancel(deployment: Deployment, buyer: Buyer, orderId: string): Promise<void> {
  const headers = { ...buyer };
  await ask(deployment, 'POST', `/orders/${orderId}/cancel`, 202, { headers });
  for (const deadline = Date.now() + OUTCOME_WITHIN_MS; Date.now() < deadline; await sleep(250)) {
    const { body } = await ask(deployment, 'GET', `/orders/${orderId}`, 200, { headers });
    if (body.status === 'cancelled') return;
  }
  throw new Error(`${orderId} was not cancelled within ${OUTCOME_WITHIN_MS / 1_000} s`);
}

/** The balancer gives an id, and keeps one that it was given. */
export async function checkRequestIds(deployment: Deployment): Promise<void> {
  const own = await ask(deployment, 'GET', '/festivals', 200);
  // With everything that docs/api.md lets an id have.
  const mine = 'mine-1.a:b;c=d+e/f@g_h';
  const given = await ask(deployment, 'GET', '/festivals', 200, { headers: { 'x-request-id': mine } });
  if (own.requestId === null || !/^[\dA-F]+:/.test(own.requestId)) throw new Error(`the id is ${own.requestId}`);
  if (given.requestId !== mine) throw new Error(`${mine} became ${given.requestId}`);
}

/** Metrics are not for everybody. */
export async function checkInsides({ url }: Deployment): Promise<void> {
  const { status } = await fetch(`${url}/metrics`);
  if (status !== 404) throw new Error(`/metrics was answered ${status} from outside`);
}
