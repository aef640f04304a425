/** Tokens that nobody gave. The access tokens are JWTs (three parts of base64url), the queue tokens opaque bytes. */
import { QUEUE_TOKEN_LAYOUT } from '@fest/server/contract/queue-token-layout';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import type { Random } from '../../buyers/random.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

export function garbage(characters: number, random: Random): string {
  let text = '';
  for (let index = 0; index < characters; index += 1) text += ALPHABET[Math.floor(random() * ALPHABET.length)];
  return text;
}

/** Another character at a place, which stays in the alphabet. */
export function altered(token: string, place: number): string {
  const at = ((place % token.length) + token.length) % token.length;
  const next = ALPHABET[(ALPHABET.indexOf(token[at] ?? 'A') + 1) % ALPHABET.length];
  return token.slice(0, at) + next + token.slice(at + 1);
}

/** The number becomes 1. The signature stays. */
export function withFirstNumber(queueToken: string): string {
  const bytes = new Uint8Array(encoding.b64decode(queueToken, 'rawurl'));
  const { at, bytes: length } = QUEUE_TOKEN_LAYOUT.number;
  bytes.fill(0, at, at + length);
  bytes[at + length - 1] = 1;
  return encoding.b64encode(bytes.buffer, 'rawurl');
}

/** The content of an access token with other members, under the old signature. */
export function withContent(accessToken: string, members: object): string {
  const [header = '', content = '', signature = ''] = accessToken.split('.');
  return [header, encode({ ...decode(content), ...members }), signature].join('.');
}

/** Signed by nobody. */
export function unsigned(accessToken: string): string {
  const [, content = ''] = accessToken.split('.');
  return `${encode({ alg: 'none', typ: 'JWT' })}.${content}.`;
}

/** Signed by somebody who does not have the key, with this algorithm. */
export function signedWith(accessToken: string, algorithm: 'HS256' | 'HS384' | 'HS512', key: string): string {
  const [, content = ''] = accessToken.split('.');
  const text = `${encode({ alg: algorithm, typ: 'JWT' })}.${content}`;
  const hash = ({ HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const)[algorithm];
  return `${text}.${crypto.hmac(hash, key, text, 'base64rawurl')}`;
}

function decode(part: string): object {
  return JSON.parse(encoding.b64decode(part, 'rawurl', 's')) as object;
}

function encode(value: object): string {
  return encoding.b64encode(JSON.stringify(value), 'rawurl');
}
