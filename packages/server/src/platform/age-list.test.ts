import { expect, it } from 'vitest';
import { AgeList } from './age-list.ts';

it('is a list in the order of age, whatever comes and goes', () => {
  const list = new AgeList<{ readonly id: number }>();
  const model = new Map<number, { readonly id: number }>();
  let state = 7;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let largest = 0;
  for (let id = 0; id < 60_000; id += 1) {
    // Now it grows, now it shrinks, now one stays while thousands pass it.
    const grows = Math.floor(id / 10_000) % 2 === 0;
    if (grows || random(3) === 0) model.set(list.add({ id }), { id });
    const places = [...model.keys()];
    for (let count = grows ? random(2) : random(6); count > 0 && places.length > 0; count -= 1) {
      const [place = 0] = places.splice(random(Math.min(places.length, 50)) + (places.length > 50 ? 1 : 0), 1);
      expect(list.remove(place)).toBe(model.delete(place));
      expect(list.remove(place)).toBe(false);
    }
    largest = Math.max(largest, model.size);
    if (id % 100 === 0) expect(places.map((place) => list.get(place))).toEqual(places.map((place) => model.get(place)));
    expect(list.size).toBe(model.size);
    expect(list.oldest).toEqual([...model.values()][0]);
    if (model.size <= 300) continue;
    const [[place = 0] = []] = model;
    list.removeOldest();
    model.delete(place);
  }
  expect(largest).toBeGreaterThan(200);
  for (const place of model.keys()) list.remove(place);
  expect([list.size, list.oldest, list.get(0)]).toEqual([0, undefined, undefined]);
});

it('becomes small again after a rush', () => {
  const list = new AgeList<object>();
  for (let round = 0; round < 3; round += 1) {
    const places = Array.from({ length: 100_000 }, () => list.add({}));
    expect(list.size).toBe(100_000);
    for (const place of places.reverse()) expect(list.remove(place)).toBe(true);
    expect([list.size, list.oldest]).toEqual([0, undefined]);
  }
});
