/** Very many people, told apart by their accounts and their addresses. */
import type { TestApp } from './test-app.ts';
import { type Answer, call, until } from './visitor.ts';

export interface Person {
  readonly accountId: number;
  readonly token: string;
  /** What the proxy in front has noted. */
  readonly address: string;
}

/** No account of MySQL has such a number. */
let lastAccountId = 1_000_000;

/** Accounts that nobody has written down: for what does not look at MySQL. */
export function people(fest: TestApp, count: number, addressOf: (index: number) => string): readonly Person[] {
  return Array.from({ length: count }, (_, index) => personAt(fest, addressOf(index)));
}

/** One of them. */
export function personAt(fest: TestApp, address: string): Person {
  lastAccountId += 1;
  return { accountId: lastAccountId, token: fest.tokenFor(lastAccountId, ['buyer']), address };
}

/**
 * A request as it comes through one proxy. While the server is overloaded, which on a busy machine it may be, it is repeated:
 * nothing has been counted for it then.
 */
export async function from<Body = unknown>(
  fest: TestApp,
  { token, address }: Person,
  method: 'POST' | 'DELETE',
  path: string,
  options: { readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer<Body>> {
  const headers = { authorization: `Bearer ${token}`, 'x-forwarded-for': address, ...options.headers };
  return until(
    () => call<Body>(fest, method, path, { ...options, headers }),
    ({ status, problem }) => status !== 503 || problem.code !== 'overloaded',
    30_000,
  );
}

/** How often each came, in the order of first appearance. */
export function counts(values: Iterable<string | number>): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const value of values) found[value] = (found[value] ?? 0) + 1;
  return found;
}
