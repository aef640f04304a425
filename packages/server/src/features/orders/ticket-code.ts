/**
 * Ticket codes: what the QR code of a ticket says, signed with Ed25519, so that a gate can tell a real ticket without
 * asking anybody. 85 bytes in base64url: version (1), sale id (4), ticket number (4), the rest of the order's id (12) and the
 * signature (64). Whether the order was cancelled or the ticket is used up, only the database knows.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { ID_TAIL_BYTES, idOfTail, saleOfId, tailOfId } from '../../platform/ids.ts';

export interface TicketCodePayload {
  readonly saleId: number;
  /** 1 … capacity. */
  readonly ticketNumber: number;
  readonly orderId: string;
}

export interface TicketCodes {
  /** The same ticket always gets the same code. */
  sign(payload: TicketCodePayload): string;
  /** Undefined when the code is not one that this key has signed. */
  verify(code: string): TicketCodePayload | undefined;
  /** For gates that check without a server. */
  readonly publicKey: KeyObject;
}

const VERSION = 1;
const PAYLOAD_BYTES = 1 + 4 + 4 + ID_TAIL_BYTES;
const SIGNATURE_BYTES = 64;
/** 85 bytes have 114 characters without padding. */
const CODE = /^[A-Za-z0-9_-]{114}$/;

/** RFC 8410: what stands before the 32 bytes of an Ed25519 seed in a PKCS #8 key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** `seed` is the private key: 32 bytes. */
export function createTicketCodes(seed: Buffer): TicketCodes {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  return {
    publicKey,
    sign(ticket) {
      const payload = encodePayload(ticket);
      return Buffer.concat([payload, sign(null, payload, privateKey)]).toString('base64url');
    },
    verify(code) {
      if (!CODE.test(code)) return undefined;
      const bytes = Buffer.from(code, 'base64url');
      // The last character has spare bits: only one spelling of a code is accepted.
      if (bytes.length !== PAYLOAD_BYTES + SIGNATURE_BYTES || bytes.toString('base64url') !== code) return undefined;
      const payload = bytes.subarray(0, PAYLOAD_BYTES);
      if (!verify(null, payload, publicKey, bytes.subarray(PAYLOAD_BYTES))) return undefined;
      return decodePayload(payload);
    },
  };
}

function encodePayload({ saleId, ticketNumber, orderId }: TicketCodePayload): Buffer {
  if (saleOfId('order', orderId) !== saleId) throw new Error(`${orderId} is not an order of sale ${saleId}`);
  const payload = Buffer.alloc(PAYLOAD_BYTES);
  payload.writeUInt8(VERSION, 0);
  payload.writeUInt32BE(saleId, 1);
  payload.writeUInt32BE(ticketNumber, 5);
  tailOfId(orderId).copy(payload, 9);
  return payload;
}

function decodePayload(payload: Buffer): TicketCodePayload | undefined {
  if (payload.readUInt8(0) !== VERSION) return undefined;
  const saleId = payload.readUInt32BE(1);
  const ticketNumber = payload.readUInt32BE(5);
  return { saleId, ticketNumber, orderId: idOfTail('order', saleId, payload.subarray(9)) };
}
