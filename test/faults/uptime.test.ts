import { describe, expect, it } from 'vitest';
import { Uptime } from './uptime.ts';

/** An order every 10 ms, but for the seconds from 4 to 6. */
const ORDERS = Array.from({ length: 1_000 }, (_, index) => index * 10).filter((ms) => ms < 4_000 || ms >= 6_000);

describe('Uptime', () => {
  it('counts orders over all time, over that in which something sold, and over that in which all was up', () => {
    const uptime = new Uptime();
    uptime.opened(0);
    uptime.broken(4_000, 6_000, 8_000);
    uptime.closed(10_000);
    expect(uptime.rates(ORDERS, 20_000)).toEqual({
      orders: 800,
      overall: { perSecond: 80, seconds: 10 },
      selling: { perSecond: 100, seconds: 8 },
      allUp: { perSecond: 100, seconds: 6 },
    });
  });

  it('takes downtimes that overlap once, and leaves out the time in which nobody was let in', () => {
    const uptime = new Uptime();
    uptime.opened(0);
    uptime.broken(4_000, 5_500, 5_500);
    uptime.broken(4_500, 6_000, 6_000);
    uptime.closed(7_000);
    uptime.opened(9_000);
    const { overall, selling } = uptime.rates(ORDERS, 10_000);
    expect(overall.seconds).toBe(8);
    expect(selling).toEqual({ perSecond: 100, seconds: 6 });
  });
});
