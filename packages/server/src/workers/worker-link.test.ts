import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { FromWorker } from './messages.ts';
import { WorkerLink } from './worker-link.ts';

function openLink() {
  const channel = Object.assign(new EventEmitter(), { send: (message: FromWorker) => void sent.push(message) });
  const sent: FromWorker[] = [];
  const link = new WorkerLink({ worker: 2, workers: 3, channel, answerMs: 50 });
  return { link, sent, hear: (message: unknown) => channel.emit('message', message), channel };
}

test('a worker answers what its primary asks', async () => {
  const { link, sent, hear } = openLink();
  link.answer('health', async () => 'well');
  hear({ fest: 'ask', id: 5, what: 'health' });
  await sleep(1);
  expect(sent).toEqual([
    { fest: 'heard', id: 5 },
    { fest: 'answer', id: 5, answer: 'well' },
  ]);
});

test('a worker says at once that it has heard, and that it has no answer', async () => {
  const { link, sent, hear } = openLink();
  link.answer('health', () => new Promise(() => undefined));
  link.answer('metrics', () => Promise.reject(new Error('broken')));
  hear({ fest: 'ask', id: 5, what: 'health' });
  expect(sent).toEqual([{ fest: 'heard', id: 5 }]);
  hear({ fest: 'ask', id: 6, what: 'metrics' });
  hear({ fest: 'ask', id: 7, what: 'of a later version' });
  await sleep(1);
  expect(sent.filter(({ fest }) => fest === 'answer')).toEqual([
    { fest: 'answer', id: 7 },
    { fest: 'answer', id: 6 },
  ]);
});

test('what all answer comes from the primary; when that is silent, a worker speaks for itself', async () => {
  const { link, sent, hear } = openLink();
  link.answer('health', async () => 'well');
  const asked = link.gather('health');
  hear({ fest: 'gathered', id: 1, gathered: { workers: [] } });
  expect(await asked).toEqual({ workers: [] });
  expect(sent).toEqual([{ fest: 'gather', id: 1, what: 'health' }]);
  const alone = { workers: [{ worker: 2, state: 'ready', crashes: 0, answer: 'well' }] };
  expect(await link.gather('health')).toEqual(alone);
});

test('the first reason to leave counts, and the second means that there is no time', async () => {
  const { link, hear, channel } = openLink();
  hear({ fest: 'leave', why: 'restart' });
  expect(await link.toldToLeave).toBe('restart');
  expect(link.hurry.aborted).toBe(false);
  channel.emit('disconnect');
  expect(await link.toldToLeave).toBe('restart');
  expect(link.hurry.aborted).toBe(true);
});

test('a worker whose primary has gone leaves', async () => {
  const { link, channel } = openLink();
  channel.emit('disconnect');
  expect(await link.toldToLeave).toBe('orphaned');
});

test('after a signal the word of the primary counts if it comes, and without it another worker follows', async () => {
  const told = openLink();
  told.link.leaveUnlessTold();
  told.hear({ fest: 'leave', why: 'stop' });
  expect(await told.link.toldToLeave).toBe('stop');
  const alone = openLink();
  alone.link.leaveUnlessTold();
  expect(await alone.link.toldToLeave).toBe('restart');
  await sleep(300);
  expect(told.link.hurry.aborted).toBe(false);
});

test('room for connections is told as it is, and of the others heard', () => {
  const { link, sent, hear } = openLink();
  hear({ fest: 'room', isThere: true });
  const heard: boolean[] = [];
  link.onRoom((isThere) => heard.push(isThere));
  hear({ fest: 'room', isThere: true });
  hear({ fest: 'room', isThere: false });
  link.tellRoom(true);
  expect([heard, sent]).toEqual([[true, false], [{ fest: 'room', hasRoom: true }]]);
});
