import { expect, test } from 'vitest';
import { AnswerParser } from './answer-parser.ts';

const answer = (status: string, headers: readonly string[], body = ''): Buffer =>
  Buffer.from(`HTTP/1.1 ${status}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n${body}`);

const read = (parser: AnswerParser, bytes: Buffer) => {
  const got = parser.take(bytes);
  return got === undefined ? undefined : { status: got.status, body: got.body.toString() };
};

test('an answer in one piece, then another one', () => {
  const parser = new AnswerParser();
  expect(read(parser, answer('200 OK', ['Content-Length: 5'], 'hello'))).toEqual({ status: 200, body: 'hello' });
  expect(read(parser, answer('409 Conflict', ['content-length:2'], '{}'))).toEqual({ status: 409, body: '{}' });
});

test('an answer cut anywhere is the same answer, also when the buffer is used again in between', () => {
  const whole = answer('201 Created', ['X-Other: 7', 'content-length: 9'], '{"a":"b"}');
  for (let at = 1; at < whole.length; at += 1) {
    const parser = new AnswerParser();
    const shared = Buffer.alloc(whole.length);
    whole.copy(shared, 0, 0, at);
    expect(parser.take(shared.subarray(0, at))).toBeUndefined();
    expect(parser.partial).toBe(true);
    whole.copy(shared, 0, at);
    expect(read(parser, shared.subarray(0, whole.length - at))).toEqual({ status: 201, body: '{"a":"b"}' });
    expect(parser.partial).toBe(false);
  }
});

test('204 has no body', () => {
  expect(read(new AnswerParser(), answer('204 No Content', ['Date: now']))).toEqual({ status: 204, body: '' });
});

test.each([
  ['two answers at once', Buffer.concat([answer('204 No Content', []), answer('204 No Content', [])]), 'bytes after'],
  ['a body without a length', answer('200 OK', ['Transfer-Encoding: chunked'], '0\r\n\r\n'), 'without Content-Length'],
  ['a connection that ends', answer('200 OK', ['Content-Length: 0', 'Connection: close']), 'closes the connection'],
  ['something else', Buffer.from('SSH-2.0-OpenSSH\r\n\r\n'), 'not an answer'],
  ['an interim answer', answer('100 Continue', []), 'not an answer'],
  ['headers without an end', Buffer.alloc(70_000, 'a'), 'no end of the headers'],
])('%s is refused', (_, bytes, message) => {
  expect(() => new AnswerParser().take(bytes)).toThrow(message);
});
