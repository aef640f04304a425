import fc from 'fast-check';
import { Value } from 'typebox/value';
import { expect, it } from 'vitest';
import { QueuePosition } from '../../contract/schemas.ts';
import { PHASES } from '../../contract/words.ts';
import { queuePositionText } from './poll-answer.ts';

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const position = fc.record(
  {
    number,
    position: number,
    admitted: fc.boolean(),
    admittedUntil: fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
      .map((date) => date.toISOString()),
    etaSeconds: fc.option(number),
    etaSecondsMax: fc.option(number),
    pollAfterMs: number,
    phase: fc.constantFrom(...PHASES),
  },
  { requiredKeys: ['number', 'position', 'admitted', 'etaSeconds', 'etaSecondsMax', 'pollAfterMs', 'phase'] },
);

it('is the JSON of its document, every member of the schema in it', () => {
  fc.assert(
    fc.property(position, (answer) => {
      const text = queuePositionText(answer as QueuePosition);
      expect(JSON.parse(text)).toEqual(answer);
      expect(Value.Check(QueuePosition, JSON.parse(text))).toBe(true);
      // Its length is counted in characters.
      expect(Buffer.byteLength(text)).toBe(text.length);
    }),
  );
});
