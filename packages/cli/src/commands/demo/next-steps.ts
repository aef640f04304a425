/** What to try while the demo stays up. The shell lines are run by a test, exactly as they are printed. */
import { API_PREFIX } from '@fest/server/contract/paths';
import type { Sale } from '@fest/server/contract/schemas';
import { WALK_TICKETS } from './demo-sales.ts';

export interface NextStepsFacts {
  readonly baseUrl: string;
  /** One that is open and has tickets left, if there is one. */
  readonly sale: Pick<Sale, 'id' | 'name'> | undefined;
  /** Makes the address of the new account one that nobody has. */
  readonly unique: string;
}

/**
 * One purchase by hand: bash or zsh, curl, and node for reading JSON. Needs no file and changes nothing in the shell but
 * a few variables and the function `field`. Remarks are `:` commands, because an interactive zsh knows no comments.
 */
export function curlWalk(baseUrl: string, saleId: number, unique: string): string {
  return `API=${baseUrl}${API_PREFIX}; SALE=${saleId}; EMAIL=visitor-${unique}@example.org; PASSWORD=correct-horse-${unique}
field() { node -p "JSON.parse(require('fs').readFileSync(0, 'utf8')).$1"; }
JSON='Content-Type: application/json'
: sign up and log in
curl -sS "$API/accounts" -H "$JSON" -d "{\\"email\\":\\"$EMAIL\\",\\"password\\":\\"$PASSWORD\\",\\"name\\":\\"Visitor\\"}"; echo
TOKEN=$(curl -sS "$API/sessions" -H "$JSON" -d "{\\"email\\":\\"$EMAIL\\",\\"password\\":\\"$PASSWORD\\"}" | field accessToken)
AUTH="Authorization: Bearer $TOKEN"
: join the queue and wait for the turn
QUEUE="Queue-Token: $(curl -sS -X POST "$API/sales/$SALE/queue" -H "$AUTH" | field queueToken)"
until curl -sS "$API/sales/$SALE/queue" -H "$QUEUE" | tee /dev/stderr | grep -q '"admitted":true'; do echo; sleep 1; done; echo
: hold two tickets, pay, wait for the bank
HOLD=$(curl -sS "$API/sales/$SALE/holds" -H "$AUTH" -H "$QUEUE" -H "$JSON" -d '{"quantity":${WALK_TICKETS}}' | field holdId)
PAYMENT=$(curl -sS "$API/holds/$HOLD/payments" -H "$AUTH" -H "$JSON" -d '{"method":"card"}' | field paymentId)
while curl -sS "$API/payments/$PAYMENT" -H "$AUTH" | tee /dev/stderr | grep -q '"status":"pending"'; do echo; sleep 1; done; echo
: the order with its signed tickets
ORDER=$(curl -sS "$API/payments/$PAYMENT" -H "$AUTH" | field orderId)
curl -sS "$API/orders/$ORDER" -H "$AUTH"; echo
`;
}

export function renderNextSteps({ baseUrl, sale, unique }: NextStepsFacts): string {
  const walk =
    sale === undefined
      ? ''
      : `Buy two tickets of sale ${sale.id} “${sale.name}” yourself; a few payments of a hundred are declined, then pay again:

${curlWalk(baseUrl, sale.id, unique)}
`;
  const id = sale?.id ?? '<id>';
  return `
The stack stays up. In another terminal:

${walk}See and steer the sales, in this folder as the operator of this stack:

npx fest sale list
npx fest sale show ${id}
npx fest sale pause ${id} --yes
npx fest sale resume ${id} --yes
npx fest doctor

The API, to read and to try: ${baseUrl}/docs

Ctrl-C stops it; the data stays in .fest, and the next run sells a new sale.
`;
}
