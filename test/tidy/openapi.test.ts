/** `docs/openapi.json` is what the routes say, and the routes say enough. */
import { OperationsLive } from '@fest/server/contract/operations';
import { API_PREFIX, ROUTES } from '@fest/server/contract/paths';
import { PROBLEM_MEDIA_TYPE } from '@fest/server/contract/problems';
import type { FestApp } from '@fest/server/platform/fest-app';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildInertApp, openApiDocument } from '../../scripts/openapi-document.ts';
import { read } from './repository.ts';

/** Success of a WebSocket is that it is none of HTTP any more. */
const SUCCESS = /^(2\d\d|101)$/;

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: ReadonlyArray<Readonly<Record<string, readonly string[]>>>;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly tags: ReadonlyArray<{ readonly name: string }>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const document: Document & Record<string, unknown> = JSON.parse(read('docs/openapi.json'));
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    method,
    operation,
  })),
);

/** The names of the operations for which something is not as it should be. */
function namesOf(isWrong: (operation: Operation) => boolean): readonly string[] {
  return operations.filter(({ operation }) => isWrong(operation)).map(({ name }) => name);
}

let app: FestApp;
beforeAll(async () => {
  app = await buildInertApp();
});
afterAll(() => app?.close());

test('the document in the repository is the one the routes make', async () => {
  const made = await openApiDocument();
  expect(made === read('docs/openapi.json'), 'the routes have changed: run `npm run openapi`').toBe(true);
});

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
  expect(document.openapi).toMatch(/^3\.1\./);
});

test('every operation has a summary', () => {
  expect(namesOf(({ summary = '' }) => summary.length < 5)).toEqual([]);
});

test('every operation has a tag, and every tag is described and used', () => {
  expect(namesOf(({ tags = [] }) => tags.length !== 1)).toEqual([]);
  const used = new Set(operations.flatMap(({ operation }) => operation.tags ?? []));
  expect([...used].sort()).toEqual(document.tags.map(({ name }) => name).sort());
});

test('every operation says what success looks like, and that a refusal is a problem document', () => {
  expect(namesOf(({ responses }) => !Object.keys(responses).some((status) => SUCCESS.test(status)))).toEqual([]);
  expect(namesOf(({ responses }) => responses.default?.content?.[PROBLEM_MEDIA_TYPE] === undefined)).toEqual([]);
});

test('a WebSocket says what its messages are', () => {
  const opens = ({ responses }: Operation) => responses['101'] !== undefined;
  const sockets = namesOf(opens);
  expect(sockets).toHaveLength(2);
  expect(namesOf((operation) => opens(operation) && operation.responses['101']?.content === undefined)).toEqual([]);
  const live = document.paths[`${API_PREFIX}/operations/live`]?.get?.responses['101']?.content?.['application/json'];
  expect(live).toMatchObject({ schema: { required: Object.keys(OperationsLive.properties) } });
});

test('an operation asks for a token exactly when its route does', async () => {
  const asking: string[] = [];
  for (const { name, method, path } of operations) {
    const url = path.replaceAll(/\{\w+\}/g, '1');
    // What needs a store answers 500 here; whoever must sign in is refused before.
    const answer = await app.inject({ method: method as NonNullable<InjectOptions['method']>, url });
    if (answer.json<{ code?: string }>().code === 'unauthenticated') asking.push(name);
  }
  expect(namesOf(({ security }) => security?.some((scheme) => 'bearer' in scheme) === true)).toEqual(asking);
  expect(asking.length).toBeGreaterThan(0);
});

test('every route of the contract is in the document, and every operation of the API in the contract', () => {
  const described = Object.keys(document.paths).filter((path) => path.startsWith(`${API_PREFIX}/`));
  expect(described.sort()).toEqual(
    Object.values(ROUTES)
      .map((route) => API_PREFIX + route.replaceAll(/:(\w+)/g, (_, name: string) => `{${name}}`))
      .sort(),
  );
});
