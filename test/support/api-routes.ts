/** The routes of a server as its own OpenAPI document lists them. */
import { API_PREFIX } from '@fest/server/contract/paths';
import type { FestApp } from '@fest/server/platform/fest-app';
import type { CallMethod } from './visitor.ts';

/** As much of JSON Schema as the contract uses. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface BodySchema {
  readonly properties: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
}

export interface ApiRoute {
  readonly method: CallMethod;
  /** Relative to the API's prefix, parameters as `:name`. */
  readonly pattern: string;
  readonly parameters: readonly string[];
  readonly queryParameters: readonly string[];
  readonly body: BodySchema | undefined;
  /** Absent: nobody has to sign in. */
  readonly roles: readonly string[] | undefined;
}

interface Operation {
  readonly parameters?: ReadonlyArray<{ readonly name: string; readonly in: string }>;
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: BodySchema } } };
  readonly 'x-roles'?: readonly string[];
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export function listApiRoutes(app: FestApp): readonly ApiRoute[] {
  const { paths } = app.swagger() as unknown as Document;
  return Object.entries(paths)
    .filter(([path]) => path.startsWith(`${API_PREFIX}/`))
    .flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => toRoute(path, method, operation)),
    );
}

function toRoute(path: string, method: string, { parameters = [], requestBody, ...rest }: Operation): ApiRoute {
  const names = (place: string) => parameters.filter((parameter) => parameter.in === place).map(({ name }) => name);
  return {
    method: method.toUpperCase() as CallMethod,
    pattern: path.slice(API_PREFIX.length).replaceAll(/\{(\w+)\}/g, ':$1'),
    parameters: names('path'),
    queryParameters: names('query'),
    body: requestBody?.content['application/json'].schema,
    roles: rest['x-roles'],
  };
}

/** The path with its parameters put in as they are, not encoded. */
export function fillPath(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replaceAll(/:(\w+)/g, (_, name: string) => values[name] ?? 'missing');
}
