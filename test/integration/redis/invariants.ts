/** What must hold of a sale after every script, whatever the model says. */
import type { SaleView } from './support/sale-view.ts';

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const ticketsOf = (list: string): readonly number[] => (list === '' ? [] : list.split(',').map(Number));

function heldTickets({ holds, buyers }: SaleView): readonly number[] {
  return Object.values(buyers).flatMap((id) => ticketsOf(holds[id]?.[1] ?? ''));
}

function* stockFaults(view: SaleView, soldTickets: readonly number[]): Iterable<string> {
  const { available, held, sold, capacity, nextFresh } = view.counts;
  if (available + held + sold !== capacity) yield 'available + held + sold is not capacity';
  if (Math.min(available, held, sold) < 0) yield 'a stock counter is negative';
  const neverUsed = Array.from({ length: Math.max(0, capacity - nextFresh + 1) }, (_, index) => nextFresh + index);
  const holding = heldTickets(view);
  if (view.released.length + neverUsed.length !== available) yield 'available is not the ticket numbers in stock';
  if (holding.length !== held) yield 'held is not the ticket numbers of live holds';
  if (soldTickets.length !== sold) yield 'sold is not the ticket numbers of orders';
  const all = [...view.released, ...neverUsed, ...holding, ...soldTickets];
  if (new Set(all).size !== all.length) yield 'a ticket number is in two places';
  if (all.some((number) => number < 1 || number > capacity)) yield 'a ticket number is not within the capacity';
}

function* lineFaults(view: SaleView, before: SaleView): Iterable<string> {
  const { pending, inside, maxActive, serving, drawn } = view.counts;
  if (pending !== sum(Object.values(view.remaining))) yield 'pending is not the sum of remaining';
  if (Object.values(view.remaining).some((slots) => slots < 0)) yield 'a step has a negative number of slots';
  if (inside !== Object.keys(view.buyers).length) yield 'inside is not the number of live holds';
  if (inside > Math.max(maxActive, before.counts.inside)) yield 'more buyers are inside than maxActive allows';
  if (serving < before.counts.serving) yield 'the serving number went back';
  if (serving > drawn) yield 'the serving number passed the last number drawn';
  const numbers = Object.values(view.numbers);
  if (new Set(numbers).size !== numbers.length) yield 'two buyers have the same queue number';
}

function* buyerFaults(
  view: SaleView,
  before: SaleView,
  facts: { joined: number | undefined; limitPerBuyer: number },
): Iterable<string> {
  for (const [account, number] of Object.entries(view.numbers)) {
    const known = before.numbers[account];
    if (number !== known && Number(account) !== facts.joined)
      yield `account ${account} got another queue number without joining`;
    if (known !== undefined && number < known) yield `the queue number of account ${account} went back`;
  }
  for (const account of new Set([...Object.keys(view.bought), ...Object.keys(view.buyers)])) {
    const holding = ticketsOf(view.holds[view.buyers[account] ?? '']?.[1] ?? '').length;
    if ((view.bought[account] ?? 0) + holding > facts.limitPerBuyer)
      yield `account ${account} is beyond the limit per buyer`;
  }
}

export interface InvariantFacts {
  readonly soldTickets: readonly number[];
  /** The account that has just joined. */
  readonly joined: number | undefined;
  readonly limitPerBuyer: number;
}

export function faultsOf(view: SaleView, before: SaleView, facts: InvariantFacts): readonly string[] {
  return [...stockFaults(view, facts.soldTickets), ...lineFaults(view, before), ...buyerFaults(view, before, facts)];
}
