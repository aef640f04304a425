import { describe, expect, it, vi } from 'vitest';
import { findForSure } from './find-for-sure.ts';
import type { LiveSale, LiveSales } from './live-sales.ts';

const state = (epoch: number, run = 'aaaaaaaa') => ({ saleId: 1, snapshot: { epoch, run } }) as unknown as LiveSale;

/** What is in memory, then what each look at Redis finds. */
function liveThat(known: LiveSale | undefined, ...readings: readonly (LiveSale | undefined)[]) {
  const left = [...readings];
  return { get: () => known, reread: vi.fn(async () => left.shift()) } as unknown as LiveSales;
}

describe('findForSure', () => {
  it('asks nothing about what it finds', async () => {
    const live = liveThat(undefined);
    expect(await findForSure(live, 1, async () => 'found')).toBe('found');
    expect(live.reread).not.toHaveBeenCalled();
  });

  it('believes that there is nothing when the state is what it was before the look', async () => {
    const look = vi.fn(async () => undefined);
    expect(await findForSure(liveThat(state(1), state(1)), 1, look)).toBeUndefined();
    expect(look).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['another epoch', state(2)],
    ['another Redis process', state(1, 'bbbbbbbb')],
  ])('looks again after a rebuild: %s', async (_, after) => {
    const look = vi.fn<() => Promise<string | undefined>>().mockResolvedValueOnce(undefined).mockResolvedValue('found');
    expect(await findForSure(liveThat(state(1), after), 1, look)).toBe('found');
    expect(look).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['the state cannot be trusted', liveThat(state(1), undefined)],
    ['it does not come to rest', liveThat(state(1), state(2), state(3), state(4))],
  ])('says nothing for sure while %s', async (_, live) => {
    await expect(findForSure(live, 1, async () => undefined)).rejects.toMatchObject({ code: 'sale_recovering' });
  });
});
