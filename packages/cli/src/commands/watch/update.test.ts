import { describe, expect, test } from 'vitest';
import { LIVE_AT, liveDocument, liveEvent, liveSale } from '../../test-support/live-documents.ts';
import { actionOf, KEY_TABLE } from './key-table.ts';
import { initialState, listedSales, selectedSale, type WatchState } from './state.ts';
import { takeConnection, takeDocument, takeKey, type Updated } from './update.ts';

const NOW = Date.parse(LIVE_AT);
const url = 'http://127.0.0.1:8080';

function watching(options: { readonly mayWrite?: boolean; readonly saleId?: number } = {}): WatchState {
  const state = initialState({ url, mayWrite: options.mayWrite ?? false, saleId: options.saleId });
  return takeDocument(takeConnection(state, { status: 'live', url }, NOW), liveDocument(), NOW);
}

function press(state: WatchState, ...keys: readonly string[]): Updated {
  let updated: Updated = { state, effect: { kind: 'none' } };
  for (const key of keys) updated = takeKey(updated.state, key, NOW);
  return updated;
}

const shownIds = (state: WatchState) => listedSales(state).map(({ saleId }) => saleId);

test('no key has two meanings, and every one has a word in the help', () => {
  const keys = KEY_TABLE.flatMap((binding) => binding.keys);
  expect(new Set(keys).size).toBe(keys.length);
  expect(KEY_TABLE.filter(({ does, shown }) => does === '' || shown === '')).toEqual([]);
  for (const key of ['?', 'q', '<tab>', '<up>', '<down>', '<left>', '<right>', 'h', 'j', 'k', 'l', '<enter>', '<esc>'])
    expect(actionOf(key), key).toBeDefined();
  for (const key of ['/', 'p', '+', '-', ':']) expect(actionOf(key), key).toBeDefined();
});

test.each([['q'], ['<ctrl+c>']])('%s leaves', (key) => {
  expect(press(watching(), key).effect).toEqual({ kind: 'quit' });
});

test('Ctrl-C leaves from everything that is open; q is typed where text is typed', () => {
  for (const opening of ['?', '/', ':', '<enter>']) {
    expect(press(watching(), opening, '<ctrl+c>').effect).toEqual({ kind: 'quit' });
  }
  expect(press(watching(), '/', 'q').state.filter).toBe('q');
});

describe('the table of sales', () => {
  test('the selection stays with the sale when the order changes, and moves by rows', () => {
    const start = watching();
    expect(selectedSale(start)?.saleId).toBe(7);
    const moved = press(start, 'j', '<down>').state;
    expect(selectedSale(moved)?.saleId).toBe(9);
    expect(selectedSale(press(moved, 'j').state)?.saleId).toBe(9);
    const reversed = press(moved, 'r').state;
    expect(shownIds(reversed)).toEqual([9, 8, 7]);
    expect(selectedSale(reversed)?.saleId).toBe(9);
    expect(selectedSale(press(reversed, 'G').state)?.saleId).toBe(7);
  });

  test('sorts by the chosen column, figures largest first', () => {
    const byWaiting = press(watching(), 'l', 'l', 'l', 'l').state;
    expect(shownIds(byWaiting)).toEqual([7, 8, 9]);
    expect(shownIds(press(byWaiting, 'r').state)).toEqual([9, 8, 7]);
    expect(shownIds(press(watching(), '<left>').state)[0]).toBe(7);
  });

  test('a filter shows what has the text in it; esc takes it back, later esc takes it away', () => {
    const typed = press(watching(), '/', 'm', 'a', 't', 's').state;
    expect(shownIds(typed)).toEqual([9]);
    const kept = press(typed, '<enter>').state;
    expect(shownIds(kept)).toEqual([9]);
    expect(shownIds(press(kept, '/', 'x', '<esc>').state)).toEqual([9]);
    expect(shownIds(press(kept, '<esc>').state)).toEqual([7, 8, 9]);
    expect(shownIds(press(watching(), '/', 'sold out').state)).toEqual([9]);
    expect(shownIds(press(typed, '<backspace>', '<backspace>', '<backspace>', '<backspace>').state)).toHaveLength(3);
  });
});

test('a picture that is held still stays while documents come; charts and events are taken in all the same', () => {
  const held = press(watching(), 'p').state;
  const sales = [liveSale({ sold: 4_000 })];
  const events = [liveEvent({ id: '000009', at: LIVE_AT, text: 'later' })];
  const later = takeDocument(held, liveDocument({ sales, events }), NOW + 2_000);
  expect(selectedSale(later)?.sold).toBe(1_204);
  expect(later.events.at(-1)?.text).toBe('later');
  expect(selectedSale(press(later, 'p').state)?.sold).toBe(4_000);
});

test('the window of the charts has three lengths', () => {
  const state = watching();
  expect(press(state, '-').state.window).toBe(0);
  expect(press(state, '+').state.window).toBe(1);
  expect(press(state, '+', '+', '+').state.window).toBe(2);
});

test('a sale that is asked for and not there is said; the first is shown', () => {
  const state = watching({ saleId: 99 });
  expect(state.notice).toBe('There is no sale 99 here.');
  expect(selectedSale(state)?.saleId).toBe(7);
  expect(selectedSale(watching({ saleId: 8 }))?.saleId).toBe(8);
});

test('what the filter leaves out is not what is changed; without the filter it is selected again', () => {
  const filtered = press(watching({ saleId: 8 }), '/', 'matsuri', '<enter>').state;
  expect(selectedSale(filtered)?.saleId).toBe(9);
  expect(selectedSale(press(filtered, '<esc>').state)?.saleId).toBe(8);
});

describe('events', () => {
  test('are told once, however often they are sent', () => {
    const again = takeDocument(watching(), liveDocument(), NOW + 1_000);
    expect(again.events.map(({ id }) => id)).toEqual(['000001', '000002', '000003']);
  });

  test('are not kept for ever', () => {
    let state = watching();
    for (let id = 10; id < 500; id += 1) {
      const events = [liveEvent({ id: String(id).padStart(6, '0'), at: new Date(NOW + id * 1_000).toISOString() })];
      state = takeDocument(state, liveDocument({ events }), NOW);
    }
    expect(state.events).toHaveLength(200);
    expect(state.events.at(-1)?.id).toBe('000499');
  });

  test('tell once that the connection was lost, and that it is there again', () => {
    const lost = { status: 'lost', url, why: 'the line broke', retryAtMs: NOW } as const;
    let state = takeConnection(watching(), lost, NOW);
    state = takeConnection(state, { ...lost, why: 'nothing listens there' }, NOW + 1_000);
    state = takeConnection(state, { status: 'live', url }, NOW + 2_000);
    expect(state.events.slice(3).map(({ text }) => text)).toEqual([
      `connection to ${url} lost: the line broke`,
      `connected again, to ${url}`,
    ]);
  });

  test('tell nothing about attempts in between', () => {
    const lost = { status: 'lost', url, why: 'the line broke', retryAtMs: NOW } as const;
    let state = takeConnection(watching(), lost, NOW);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      state = takeConnection(state, { status: 'connecting', url }, NOW);
      state = takeConnection(state, lost, NOW);
    }
    expect(state.events).toHaveLength(4);
  });
});

describe('changing a sale', () => {
  test('without --write is not possible, and says what makes it so', () => {
    const { state, effect } = press(watching(), ':', 'pause', '<enter>');
    expect(effect.kind).toBe('none');
    expect(state.opened.kind).toBe('nothing');
    expect(state.notice).toContain('fest watch --write');
  });

  test('asks first, and enter alone cancels', () => {
    const asked = press(watching({ mayWrite: true }), ':', 'rate 20', '<enter>').state;
    expect(asked.opened).toMatchObject({ kind: 'dialog', goAhead: false, plan: { from: '50/s', to: '20/s' } });
    const { state, effect } = press(asked, '<enter>');
    expect(effect.kind).toBe('none');
    expect(state.notice).toContain('cancelled, nothing was changed');
    expect(press(asked, '<esc>').effect.kind).toBe('none');
    expect(press(asked, 'y', '<enter>').effect.kind).toBe('none');
  });

  test('is carried out when it is chosen, and said in the events', () => {
    const { state, effect } = press(watching({ mayWrite: true }), ':', 'rate 20', '<enter>', '<tab>', '<enter>');
    expect(effect).toMatchObject({ kind: 'carryOut', plan: { request: { body: { mode: 'auto', perSecond: 20 } } } });
    expect(state.opened.kind).toBe('nothing');
    expect(state.events.at(-1)?.text).toBe('asked for: rate, as an upper bound (mode auto) 50/s → 20/s');
  });

  test('a line that came at once, with its enter, opens the dialog and decides nothing', () => {
    const { state, effect } = press(watching({ mayWrite: true }), ':pause\r');
    expect(state.opened.kind).toBe('dialog');
    expect(effect.kind).toBe('none');
  });

  test('closing needs the name of the sale typed', () => {
    const asked = press(watching({ mayWrite: true }), ':', 'close', '<enter>').state;
    expect(press(asked, '<tab>', '<enter>').effect.kind).toBe('none');
    const wrong = press(asked, 'Day 2', '<enter>');
    expect(wrong.effect.kind).toBe('none');
    expect(wrong.state.opened.kind).toBe('dialog');
    expect(wrong.state.notice).toContain('is not the name of the sale');
    expect(press(asked, 'Day 1 General', '<enter>').effect.kind).toBe('carryOut');
    expect(press(asked, '7', '<enter>').effect.kind).toBe('carryOut');
  });

  test('is not done when the sale has changed while the dialog was open', () => {
    const asked = press(watching({ mayWrite: true }), ':', 'rate 20', '<enter>', '<tab>').state;
    const changed = takeDocument(asked, liveDocument({ sales: [liveSale({ perSecond: 30 })] }), NOW);
    const { state, effect } = press(changed, '<enter>');
    expect(effect.kind).toBe('none');
    expect(state.notice).toContain('has changed meanwhile; nothing was done');
  });

  test('is not done when the mode has changed meanwhile, which would be set back with it', () => {
    const asked = press(watching({ mayWrite: true }), ':', 'max-active 40', '<enter>', '<tab>').state;
    const changed = takeDocument(asked, liveDocument({ sales: [liveSale({ mode: 'fixed' })] }), NOW);
    const { state, effect } = press(changed, '<enter>');
    expect(effect.kind).toBe('none');
    expect(state.notice).toContain('has changed meanwhile; nothing was done');
  });

  test('shows the newest events, where what comes of it is told', () => {
    const back = press(watching({ mayWrite: true }), '<tab>', '<tab>', 'k', 'k').state;
    expect(back.eventScroll).toBe(2);
    expect(press(back, ':', 'rate 20', '<enter>', '<tab>', '<enter>').state.eventScroll).toBe(0);
  });

  test('is not begun, and not done, over figures that are old', () => {
    const state = watching({ mayWrite: true });
    const typed = press(state, ':', 'pause').state;
    expect(takeKey(typed, '<enter>', NOW + 10_000).state.notice).toContain('not those of now');
    const asked = press(state, ':', 'pause', '<enter>', '<tab>').state;
    expect(takeKey(asked, '<enter>', NOW + 10_000).effect.kind).toBe('none');
  });

  test('a wrong command says what is right', () => {
    expect(press(watching(), ':', 'rate', '<enter>').state.notice).toContain('one whole number from 0 to');
    expect(press(watching(), ':', 'quit', '<enter>').effect.kind).toBe('quit');
    expect(press(watching(), ':', '<esc>').state.opened.kind).toBe('nothing');
  });
});

test('t opens the traffic, and t, enter and esc close it', () => {
  const opened = press(watching(), 't').state;
  expect(opened.opened.kind).toBe('traffic');
  for (const key of ['t', '<enter>', '<esc>']) expect(press(opened, key).state.opened.kind).toBe('nothing');
});

test('events tell which operator did it', () => {
  const state = takeDocument(watching(), liveDocument({ events: [liveEvent({ id: '000010', operatorId: 4 })] }), NOW);
  expect(state.events.find(({ id }) => id === '000010')).toMatchObject({ operatorId: 4 });
});
