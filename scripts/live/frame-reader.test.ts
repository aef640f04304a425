import { expect, test } from 'vitest';
import { PING_FRAME, textFrame } from '../../packages/server/src/features/live/state-frame.ts';
import { FrameReader } from './frame-reader.ts';

test('what a server frames is read back, in whatever pieces it comes', () => {
  const texts = ['{}', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(700)];
  const bytes = Buffer.concat([...texts.map(textFrame), PING_FRAME, Buffer.from([0x88, 0])]);
  for (const step of [1, 2, 3, 7, 200, bytes.length]) {
    const seen: string[] = [];
    const reader = new FrameReader();
    for (let at = 0; at < bytes.length; at += step) {
      reader.read(bytes.subarray(at, at + step), {
        text: (payload) => void seen.push(payload.toString()),
        ping: () => void seen.push('ping'),
        close: () => void seen.push('close'),
      });
    }
    expect(seen).toEqual([...texts, 'ping', 'close']);
  }
});
