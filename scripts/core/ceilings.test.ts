import { QueuePosition } from '@fest/server/contract/schemas';
import { expect, test } from 'vitest';
import { CEILING_ANSWER } from './ceilings.ts';

test('a ceiling answers what somebody who waits is answered, every member of it', () => {
  const { admittedUntil: _, ...waiting } = QueuePosition.properties;
  expect(Object.keys(JSON.parse(CEILING_ANSWER))).toEqual(Object.keys(waiting));
});
