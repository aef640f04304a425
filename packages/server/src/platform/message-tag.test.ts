import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTagger } from './message-tag.ts';

const MESSAGE_BYTES = 21;
const message = fc.uint8Array({ minLength: MESSAGE_BYTES, maxLength: MESSAGE_BYTES });

it('is HMAC-SHA-256, whatever the key and the message', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(message, { maxLength: 5 }),
      (secret, messages) => {
        const tagger = createTagger(secret, MESSAGE_BYTES);
        for (const bytes of messages) {
          const expected = createHmac('sha256', Buffer.from(secret, 'utf8')).update(bytes).digest('hex');
          expect(tagger.tag(Buffer.from(bytes)).toString('hex')).toBe(expected);
        }
      },
    ),
  );
});

it.each([63, 64, 65])('takes a key of %i bytes as RFC 2104 does', (length) => {
  const secret = 'k'.repeat(length);
  const bytes = Buffer.alloc(MESSAGE_BYTES, 1);
  const expected = createHmac('sha256', secret).update(bytes).digest('hex');
  expect(createTagger(secret, MESSAGE_BYTES).tag(bytes).toString('hex')).toBe(expected);
});

it('takes no message of another length, which would be tagged with what was there before', () => {
  expect(() => createTagger('secret', MESSAGE_BYTES).tag(Buffer.alloc(MESSAGE_BYTES - 1))).toThrow('21 bytes');
});
