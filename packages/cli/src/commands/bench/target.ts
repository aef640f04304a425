/** Where the load goes, and who has to agree to it. */
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import type { Context } from '../../context.ts';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { LocalState } from '../../local-stack/local-state.ts';
import { confirmSevere, requireSevere } from '../../prompt.ts';
import type { Settings } from '../../settings.ts';
import { describeLoad } from './load-size.ts';
import type { BenchRequest } from './options.ts';

export type BenchTarget =
  /** None runs: one is brought up for the run. */
  | { readonly kind: 'ownStack' }
  | { readonly kind: 'runningStack'; readonly state: LocalState; readonly baseUrls: readonly string[] }
  /** Named by their addresses. `state`: a stack runs in this folder, and they may belong to it. */
  | { readonly kind: 'servers'; readonly baseUrls: readonly string[]; readonly state: LocalState | undefined };

/** @param running the stack that runs in the folder */
export function findTarget(
  { targets }: Pick<BenchRequest, 'targets'>,
  { url }: Pick<Settings, 'url'>,
  running: LocalState | undefined,
): BenchTarget {
  const isNamed = url.source !== 'local stack' && url.source !== 'default';
  const named = targets ?? (isNamed ? [url.value] : undefined);
  if (named === undefined) {
    return running === undefined
      ? { kind: 'ownStack' }
      : { kind: 'runningStack', state: running, baseUrls: running.baseUrls };
  }
  if (running !== undefined && named.every((address) => running.baseUrls.includes(address))) {
    return { kind: 'runningStack', state: running, baseUrls: named };
  }
  return { kind: 'servers', baseUrls: named, state: running };
}

export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

export interface Consenting {
  readonly request: BenchRequest;
  readonly resolved: ResolvedLoad;
  readonly target: BenchTarget;
  readonly environment: Settings['environment'];
  readonly allowRemote: boolean;
  readonly confirm: string | undefined;
  /** What comes there, a part of a sentence; undefined: the load and the accounts and tickets it needs. */
  readonly effect?: string;
}

/** @throws FixableError unless everything is on this machine or somebody wants it so */
export async function agree(context: Context, options: Consenting): Promise<void> {
  const { target, environment, request, allowRemote, confirm } = options;
  if (target.kind !== 'servers') return;
  const remote = target.baseUrls.filter((address) => !isLoopback(address));
  const effect = options.effect ?? describeEffect(options);
  if (remote.length > 0 && !allowRemote) {
    throw new FixableError({
      what: `${remote.join(', ')} ${remote.length === 1 ? 'is' : 'are'} not on this machine`,
      why: `fest bench ${request.scenario} would send load there: ${effect}`,
      fix: 'If it is yours, and everybody who has to know does: add --allow-remote.',
      exitCode: EXIT.usage,
    });
  }
  if (environment?.production !== true) return;
  const severe = { effect: `There, it means: ${effect}`, accepted: [environment.name], confirm, environment };
  requireSevere(context, severe);
  await confirmSevere(context, severe);
}

function describeEffect({ resolved, target }: Consenting): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  const places = target.kind === 'servers' && target.baseUrls.length > 1 ? `${target.baseUrls.length} servers` : 'it';
  return (
    `${describeLoad(resolved.load)}, at ${places}; ${number(resolved.buyers + resolved.credentials)} accounts of simulated ` +
    `buyers, a festival, and sales of its own with ${number(resolved.sale.capacity)} tickets, all of which stay there.`
  );
}
