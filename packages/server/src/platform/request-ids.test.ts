import { expect, test } from 'vitest';
import { createRequestIds } from './request-ids.ts';

test.each([
  ['HAProxy', '0A000001:C3F8_0A000002:1F90_6651D3A1_0001:0007'],
  ['nginx', '8f2d1b9c7e6a4f30b1c2d3e4f5a6b7c8'],
  ['Envoy', '3d0c1b7e-6a4f-4a10-9b1c-2d3e4f5a6b7c'],
])('a request keeps the id that %s gave it', (_, id) => {
  expect(createRequestIds()({ 'x-request-id': id })).toBe(id);
});

test('a request keeps the id that a load balancer of AWS gave it, if it has none of its own', () => {
  const ids = createRequestIds('process');
  const amazons = 'Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678';
  expect(ids({ 'x-amzn-trace-id': amazons })).toBe(amazons);
  expect(ids({ 'x-request-id': 'own', 'x-amzn-trace-id': amazons })).toBe('own');
  expect(ids({ 'x-amzn-trace-id': 'a text' })).toBe('process-1');
});

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['one that ends a line of a log', 'a\nlevel=fatal'],
  ['one with the codes of a terminal', '\u001b[31mred'],
  ['one that is no id but a text', 'drop table orders'],
  ['a very long one', 'a'.repeat(129)],
])('with %s a request gets an id of this process', (_, given) => {
  const ids = createRequestIds('process');
  const headers = given === undefined ? {} : { 'x-request-id': given };
  expect([ids(headers), ids(headers)]).toEqual(['process-1', 'process-2']);
});

test('ids of two processes differ', () => {
  expect(createRequestIds()({})).not.toBe(createRequestIds()({}));
});
