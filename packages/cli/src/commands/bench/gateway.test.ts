import { describe, expect, it } from 'vitest';
import { describeDifference, environmentOf, gatewayEnvironment, gatewayOf, wantedGateway } from './gateway.ts';

const wanted = wantedGateway({ gatewayMs: 500, gatewayDeclineShare: 0.05 });

describe('the payment gateway of a load test', () => {
  it('is what the scenario wants, unless the user has set it up otherwise', () => {
    expect(gatewayOf(gatewayEnvironment({ PATH: '/bin' }, wanted))).toEqual(wanted);
    const mine = gatewayEnvironment({ FEST_GATEWAY_LATENCY_MS: '20' }, wanted);
    expect(describeDifference(gatewayOf(mine), wanted)).toBe(
      'The payment gateway of the stack takes 20 ms; the scenario is made for one that takes 500 ms.',
    );
  });

  it('of a stack that was started by hand has the defaults of servers', () => {
    expect(describeDifference(gatewayOf({}), wanted)).toMatch(
      /takes 300 ms, .*declines 3 %.*is made for one that takes 500 ms, .*declines 5 %/,
    );
  });

  it('is nothing to talk about when it is as it should be', () => {
    expect(describeDifference(wanted, wanted)).toBeUndefined();
  });

  it('can be read off a running process', () => {
    const found = environmentOf(process.pid);
    if (process.platform === 'linux') expect(found?.PATH).toMatch(/\S/);
    expect(environmentOf(2 ** 30)).toBeUndefined();
  });
});
