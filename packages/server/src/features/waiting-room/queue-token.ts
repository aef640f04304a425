/**
 * Queue tokens: who drew which number for which sale. A fixed binary layout and a truncated HMAC instead of a JWT, because
 * every poll carries one and checking it is much of what a poll costs.
 *
 * Layout, big endian: version u8 · saleId u32 · accountId u48 · number u48 · epoch u32 · first 16 bytes of HMAC-SHA-256 over
 * all before. 37 bytes, 50 characters base64url. A forger has 2^-128 per try; the tag is short to keep the token short.
 */
import { timingSafeEqual } from 'node:crypto';
import { QUEUE_TOKEN_LAYOUT as AT } from '../../contract/queue-token-layout.ts';
import { createTagger } from '../../platform/message-tag.ts';

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
const PAYLOAD_BYTES = AT.tag.at;
const TAG_BYTES = AT.tag.bytes;
const TOKEN_BYTES = PAYLOAD_BYTES + TAG_BYTES;
const TOKEN_CHARACTERS = Math.ceil((TOKEN_BYTES * 4) / 3);

export function createQueueTokens(secret: string): QueueTokens {
  const tagger = createTagger(secret, PAYLOAD_BYTES);
  // Used again by every call, none of which waits for anything: a poll leaves nothing behind to be collected.
  const token = Buffer.alloc(TOKEN_BYTES);
  const payload = token.subarray(0, PAYLOAD_BYTES);
  const tag = token.subarray(PAYLOAD_BYTES);
  return {
    mint({ saleId, accountId, number, epoch }) {
      payload.writeUInt8(VERSION, AT.version.at);
      payload.writeUInt32BE(saleId, AT.saleId.at);
      payload.writeUIntBE(accountId, AT.accountId.at, AT.accountId.bytes);
      // Numbers grow by ten million with every epoch: 32 bits would be used up by 430 restarts of Redis.
      payload.writeUIntBE(number, AT.number.at, AT.number.bytes);
      payload.writeUInt32BE(epoch, AT.epoch.at);
      tagger.tag(payload).copy(tag, 0, 0, TAG_BYTES);
      return token.toString('base64url');
    },
    verify(text) {
      // Cheapest first: most garbage fails on its length. From here on every text costs the same.
      if (text.length !== TOKEN_CHARACTERS) return undefined;
      // Other alphabets leave a part of the token before as it was.
      const written = token.write(text, 'base64url');
      if (written !== TOKEN_BYTES || token[0] !== VERSION) return undefined;
      if (!timingSafeEqual(tagger.tag(payload).subarray(0, TAG_BYTES), tag)) return undefined;
      return {
        saleId: token.readUInt32BE(AT.saleId.at),
        accountId: token.readUIntBE(AT.accountId.at, AT.accountId.bytes),
        number: token.readUIntBE(AT.number.at, AT.number.bytes),
        epoch: token.readUInt32BE(AT.epoch.at),
      };
    },
  };
}
