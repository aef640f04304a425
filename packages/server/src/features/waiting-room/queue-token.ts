/**
 * Queue tokens: who drew which number for which sale. A fixed binary layout and a truncated HMAC instead of a JWT, because
 * every poll carries one and checking it is nearly all that a poll costs.
 *
 * Layout, big endian: version u8 · saleId u32 · accountId u48 · number u48 · epoch u32 · first 16 bytes of HMAC-SHA-256 over
 * all before. 37 bytes, 50 characters base64url. A forger has 2^-128 per try; the tag is short to keep the token short.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface QueueTicketClaims {
  readonly saleId: number;
  readonly accountId: number;
  readonly number: number;
  readonly epoch: number;
}

export interface QueueTokens {
  mint(claims: QueueTicketClaims): string;
  /** Undefined for anything this server's key did not make. */
  verify(token: string): QueueTicketClaims | undefined;
}

const VERSION = 2;
const PAYLOAD_BYTES = 21;
const TAG_BYTES = 16;
const TOKEN_CHARACTERS = Math.ceil(((PAYLOAD_BYTES + TAG_BYTES) * 4) / 3);

export function createQueueTokens(secret: string): QueueTokens {
  function tagOf(payload: Buffer): Buffer {
    return createHmac('sha256', secret).update(payload).digest().subarray(0, TAG_BYTES);
  }
  return {
    mint({ saleId, accountId, number, epoch }) {
      const payload = Buffer.alloc(PAYLOAD_BYTES);
      payload.writeUInt8(VERSION, 0);
      payload.writeUInt32BE(saleId, 1);
      payload.writeUIntBE(accountId, 5, 6);
      // Numbers grow by ten million with every epoch: 32 bits would be used up by 430 restarts of Redis.
      payload.writeUIntBE(number, 11, 6);
      payload.writeUInt32BE(epoch, 17);
      return Buffer.concat([payload, tagOf(payload)]).toString('base64url');
    },
    verify(token) {
      // Cheapest first: most garbage fails on its length.
      if (token.length !== TOKEN_CHARACTERS) return undefined;
      const bytes = Buffer.from(token, 'base64url');
      if (bytes.length !== PAYLOAD_BYTES + TAG_BYTES || bytes[0] !== VERSION) return undefined;
      const payload = bytes.subarray(0, PAYLOAD_BYTES);
      if (!timingSafeEqual(tagOf(payload), bytes.subarray(PAYLOAD_BYTES))) return undefined;
      return {
        saleId: payload.readUInt32BE(1),
        accountId: payload.readUIntBE(5, 6),
        number: payload.readUIntBE(11, 6),
        epoch: payload.readUInt32BE(17),
      };
    },
  };
}
