/** What a load test came to, in words for somebody in a hurry. Pure. */
import type { BenchAudit, BenchFault, BenchFaultCode, BenchResult } from '@fest/loadtest/bench/result';
import { latencyStanding } from '../commands/bench/latency-standing.ts';
import { duration } from '../html-page/html.ts';
import { counted, rate } from './figures.ts';

interface FaultWords {
  readonly title: string;
  /** Where to look next. */
  readonly next: string;
}

const FAULT_WORDS: Readonly<Record<BenchFaultCode, FaultWords>> = {
  oversold: {
    title: 'More was sold than there is',
    next: 'Stop: no sale may open with this. fest audit --details 1000 names the tickets.',
  },
  stock: {
    title: 'The stock does not add up',
    next: 'fest audit compares the stores ticket by ticket; fest sale rebuild puts Redis right from the logs.',
  },
  audit: {
    title: 'The audit found a difference',
    next: 'fest audit tells it again, with the command that mends it.',
  },
  attackSucceeded: {
    title: 'An attack succeeded',
    next: 'Stop: this is a hole. The table of attacks says which one.',
  },
  unexpectedAnswers: {
    title: 'Answers came that should not have',
    next: 'The table of endpoints says where and with which status; the servers’ logs say why.',
  },
  latency: {
    title: 'Too slow',
    next: 'See whether the servers’ own figures are slow too. If they are not, the time is lost on the way or in the generator.',
  },
  dropped: {
    title: 'The load did not all arrive',
    next: 'All of k6’s users were busy when a visit was due: give it more users (--vus), more machines, or less load.',
  },
  notServed: {
    title: 'Too many were turned away',
    next: 'The counts of refusals and of how visits ended say why. Servers that are busy send people away: less load, or more servers.',
  },
  serverDied: {
    title: 'A server process ended',
    next: 'Its log says why. Figures after that moment are of fewer servers.',
  },
  k6: {
    title: 'k6 did not work as it should',
    next: 'k6.log in the folder of the result has its own words.',
  },
};

export function faultWords(code: string): FaultWords {
  const known = Object.entries(FAULT_WORDS).find(([name]) => name === code)?.[1];
  return known ?? { title: code, next: '' };
}

/** Faults of the same kind together, in the order they came in. */
export function groupFaults(
  faults: readonly BenchFault[],
): readonly { readonly code: string; readonly messages: readonly string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { code, message } of faults) {
    const group = groups.get(code) ?? [];
    groups.set(code, group);
    group.push(message);
  }
  return [...groups].map(([code, messages]) => ({ code, messages }));
}

/** One line: did it hold? */
export function verdictLine({ verdict, faults, interrupted, audit }: BenchResult): string {
  if (verdict === 'failed') {
    const kinds = new Set(faults.map(({ code }) => code)).size;
    const also = interrupted ? ', and it was ended early' : '';
    return kinds === 0 ? `It did not hold${also}.` : `It did not hold, for ${counted(kinds, 'reason')}${also}.`;
  }
  if (interrupted) return 'It was ended early: this is what was seen until then.';
  // Whether it held is known only when what was sold is proven.
  if (audit.status === 'notRun')
    return 'Nothing failed that k6 can see, but no audit was run: whether it held is not proven.';
  return verdict === 'partial' ? 'Nothing failed, but not all of it is proven.' : 'It held.';
}

/** What was done and what came of it, in a sentence. */
export function runLine({ totals }: BenchResult): string {
  const { iterations, seconds, requests, requestsPerSecond, purchases, purchasesPerSecond, tickets } = totals;
  const bought =
    purchases === 0
      ? 'nothing was bought'
      : `${counted(purchases, 'purchase')} (${rate(purchasesPerSecond)} a second), ${counted(tickets, 'ticket')}`;
  return `${counted(iterations, 'visit')} in ${duration(seconds)}: ${counted(requests, 'request')} (${rate(requestsPerSecond)} a second), ${bought}.`;
}

const CLOSED_WORDS =
  'The load is closed: who is done comes again, so a slow server is asked less. Quote the rate of purchases, not the latencies.';

/** Whether latencies may be quoted. */
export function latencyLine(result: BenchResult): string {
  switch (latencyStanding(result)) {
    case 'none':
      return `No latency is claimed: ${result.noLatencyClaim} What was measured is shown all the same; do not quote it.`;
    case 'smoke':
      return 'A smoke run is too short and too small for its latencies to say anything: they are shown, and not to be quoted.';
    case 'closed':
      return CLOSED_WORDS;
    case 'unwatched':
      return 'No visit was dropped; whether the generator had processor time left is not known, so what was measured may be its own wait. Look at its machine before you quote a latency.';
    case 'claimed':
      return 'Latencies are claimed: no visit was dropped, and the generator had processor time left.';
  }
}

/** Beside a table or a chart of latencies, when they are not to be taken as they stand; empty when they are. */
export function latencyNote(result: BenchResult): string {
  switch (latencyStanding(result)) {
    case 'none':
      return 'no claim is made about them: in brackets';
    case 'smoke':
      return 'of a smoke run, which says nothing of latencies';
    case 'closed':
      return 'of a closed load: quote its rate, not these';
    case 'unwatched':
      return 'whether the generator was starved is not known';
    case 'claimed':
      return '';
  }
}

const AUDIT_WORDS: Readonly<Record<BenchAudit['status'], string>> = {
  clean: 'Audit: clean. Logs, archive, stock and payments were compared; nothing is lost, nothing sold twice.',
  differs: 'Audit: something differs.',
  unproven: 'Audit: nothing differs, but not everything could be compared.',
  notRun: 'Audit: not run, so nothing is proved about tickets.',
};

export function auditLine({ status, reasons }: BenchAudit): string {
  return [AUDIT_WORDS[status], ...(status === 'clean' ? [] : reasons)].join(' ');
}

/** What an audit that was not run, or not all, leaves open, as short as a card. */
export function auditNote({ audit, totals }: Pick<BenchResult, 'audit' | 'totals'>): string {
  if (totals.oversold > 0) return `k6 saw ${counted(totals.oversold, 'ticket')} too many`;
  switch (audit.status) {
    case 'clean':
      return 'nothing is lost, nothing sold twice';
    case 'differs':
      return 'see the reasons above';
    case 'unproven':
      return 'nothing differs in what could be compared';
    case 'notRun':
      return 'k6 saw no ticket too many; that none was lost or sold twice is not proved';
  }
}
