import { describe, expect, test } from 'vitest';
import { asksForWebSocket, handshakeFault } from './handshake.ts';

const HEADERS = {
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
const ASKED = { method: 'GET', url: '/api/v1/sales/7/live', httpVersion: '1.1', headers: HEADERS };

describe('a request is taken off HTTP', () => {
  test.each([
    ['when it asks for the live state of a sale', {}],
    ['also with a query, which is refused later', { url: '/api/v1/sales/7/live?x=1' }],
    ['however the protocol is written', { headers: { ...HEADERS, upgrade: 'WebSocket' } }],
  ])('%s', (_, change) => {
    expect(asksForWebSocket({ ...ASKED, ...change })).toBe(true);
  });

  test.each([
    ['another path', { url: '/api/v1/sales/7/state' }],
    ['a path that goes on', { url: '/api/v1/sales/7/live/x' }],
    ['a path with more in between', { url: '/api/v1/sales/7/8/live' }],
    ['another method', { method: 'POST' }],
    ['another protocol', { headers: { ...HEADERS, upgrade: 'h2c' } }],
    ['no upgrade', { headers: {} }],
    ['an older HTTP', { httpVersion: '1.0' }],
    ['a body', { headers: { ...HEADERS, 'content-length': '2' } }],
    ['a body in chunks', { headers: { ...HEADERS, 'transfer-encoding': 'chunked' } }],
    ['no URL', { url: undefined }],
    ['an answer that is still due on its connection', { socket: { _httpMessage: {} } }],
  ])('but not with %s', (_, change) => {
    expect(asksForWebSocket({ ...ASKED, ...change })).toBe(false);
  });
});

test.each([
  ['none', {}],
  ['version', { 'sec-websocket-version': '12' }],
  ['version', { 'sec-websocket-version': undefined }],
  ['version', { 'sec-websocket-version': '13, 8' }],
  ['key', { 'sec-websocket-key': undefined }],
  ['key', { 'sec-websocket-key': '' }],
  ['key', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ' }],
  ['key', { 'sec-websocket-key': `${HEADERS['sec-websocket-key']}\n` }],
] as const)('its fault is %s with %o', (fault, change) => {
  expect(handshakeFault({ ...HEADERS, ...change })).toBe(fault);
});
