/** The simulated payment gateway that a scenario is made for, and the one that a stack has. */
import { readFileSync } from 'node:fs';
import type { ResolvedLoad } from '@fest/loadtest/bench/profiles';
import type { GatewayConfig } from '@fest/loadtest/bench/result';
import type { Context } from '../../context.ts';

const NUMBERS = {
  FEST_GATEWAY_LATENCY_MS: 300,
  FEST_GATEWAY_LATENCY_SIGMA: 0.4,
  FEST_GATEWAY_DECLINE_RATE: 0.03,
  FEST_GATEWAY_TIMEOUT_RATE: 0.01,
  FEST_GATEWAY_UNKNOWN_RATE: 0.01,
} as const;
type GatewayVariable = keyof typeof NUMBERS;
export type GatewaySettings = Readonly<Record<GatewayVariable, number>>;

const WORDS: Readonly<Record<GatewayVariable, (value: number) => string>> = {
  FEST_GATEWAY_LATENCY_MS: (value) => `takes ${value} ms`,
  FEST_GATEWAY_LATENCY_SIGMA: (value) => `varies with sigma ${value}`,
  FEST_GATEWAY_DECLINE_RATE: (value) => `declines ${percent(value)}`,
  FEST_GATEWAY_TIMEOUT_RATE: (value) => `does not answer ${percent(value)}`,
  FEST_GATEWAY_UNKNOWN_RATE: (value) => `fails half-way for ${percent(value)}`,
};

/** As the scenario wants it: the same time for each payment, and no failure but those that belong to it. */
export function wantedGateway({
  gatewayMs,
  gatewayDeclineShare,
}: Pick<ResolvedLoad, 'gatewayMs' | 'gatewayDeclineShare'>): GatewaySettings {
  return {
    FEST_GATEWAY_LATENCY_MS: gatewayMs,
    FEST_GATEWAY_LATENCY_SIGMA: 0,
    FEST_GATEWAY_DECLINE_RATE: gatewayDeclineShare,
    FEST_GATEWAY_TIMEOUT_RATE: 0,
    FEST_GATEWAY_UNKNOWN_RATE: 0,
  };
}

/** What the user has set counts more: it is told in the result. */
export function gatewayEnvironment(env: Context['env'], wanted: GatewaySettings): Context['env'] {
  return { ...Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, String(value)])), ...env };
}

/** What a server that was started with this environment does. */
export function gatewayOf(env: Context['env']): GatewaySettings {
  const read = (name: GatewayVariable): number => {
    const value = env[name];
    return value === undefined || value === '' ? NUMBERS[name] : Number(value);
  };
  return {
    FEST_GATEWAY_LATENCY_MS: read('FEST_GATEWAY_LATENCY_MS'),
    FEST_GATEWAY_LATENCY_SIGMA: read('FEST_GATEWAY_LATENCY_SIGMA'),
    FEST_GATEWAY_DECLINE_RATE: read('FEST_GATEWAY_DECLINE_RATE'),
    FEST_GATEWAY_TIMEOUT_RATE: read('FEST_GATEWAY_TIMEOUT_RATE'),
    FEST_GATEWAY_UNKNOWN_RATE: read('FEST_GATEWAY_UNKNOWN_RATE'),
  };
}

/** As a result has it. */
export function gatewayConfigOf(settings: GatewaySettings): GatewayConfig {
  return {
    latencyMs: settings.FEST_GATEWAY_LATENCY_MS,
    latencySigma: settings.FEST_GATEWAY_LATENCY_SIGMA,
    declineShare: settings.FEST_GATEWAY_DECLINE_RATE,
    timeoutShare: settings.FEST_GATEWAY_TIMEOUT_RATE,
    unknownShare: settings.FEST_GATEWAY_UNKNOWN_RATE,
  };
}

/** A sentence for the result; undefined: it is as it should be. */
export function describeDifference(found: GatewaySettings, wanted: GatewaySettings): string | undefined {
  const names = (Object.keys(NUMBERS) as GatewayVariable[]).filter((name) => found[name] !== wanted[name]);
  if (names.length === 0) return undefined;
  const said = (settings: GatewaySettings): string => names.map((name) => WORDS[name](settings[name])).join(', ');
  return `The payment gateway of the stack ${said(found)}; the scenario is made for one that ${said(wanted)}.`;
}

/** Whether some payments do not succeed. */
export function refusesPayments(found: GatewaySettings): boolean {
  return found.FEST_GATEWAY_DECLINE_RATE + found.FEST_GATEWAY_TIMEOUT_RATE + found.FEST_GATEWAY_UNKNOWN_RATE > 0;
}

/** What a process was started with; undefined where the system does not tell. */
export function environmentOf(pid: number): Context['env'] | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return undefined;
  }
  const entries = text.split('\0').map((line): [string, string] => {
    const at = line.indexOf('=');
    return [line.slice(0, at), line.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
