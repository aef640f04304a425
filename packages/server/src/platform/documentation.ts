/** The OpenAPI document, readable pages of it, and a page for every problem code. */
import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig } from 'fastify';
import { marked } from 'marked';
import { Type } from 'typebox';
import { IDEMPOTENCY_KEY_HEADER, PROOF_OF_WORK_HEADER, QUEUE_TOKEN_HEADER, SERVICE_PATHS } from '../contract/paths.ts';
import { PROBLEM_MEDIA_TYPE, PROBLEMS } from '../contract/problems.ts';
import { ProblemBody } from '../contract/schemas.ts';
import type { FestApp } from './fest-app.ts';
import { ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For the OpenAPI document: the request needs a queue token. */
    queueToken?: boolean;
    /** For the OpenAPI document: the route's script remembers `Idempotency-Key`. */
    remembersKey?: boolean;
    /** For the OpenAPI document: the request may have to bring a proof of work. */
    challenged?: boolean;
  }
}

const PROBLEM_PAGES = new URL('../../../../docs/problems/', import.meta.url);

/** Register before the routes: the document is made of what is registered after it. */
export async function registerDocumentation(app: FestApp): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'fest',
        version: '1.0.0',
        description:
          'Sells the tickets of a festival. Join the line, hold, pay, and ask for the order. Every refusal is a problem ' +
          'document (RFC 9457) with a stable `code`; each code has a page under /docs/problems.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
      tags: [
        { name: 'accounts', description: 'Accounts and sessions' },
        { name: 'catalogue', description: 'Festivals and their sales' },
        { name: 'waiting room', description: 'The line of a sale' },
        { name: 'holds and payments', description: 'From the reserved ticket to the paid one' },
        { name: 'orders', description: 'What was bought' },
        { name: 'check-in', description: 'The gates' },
        { name: 'operations', description: 'Steering a sale' },
        { name: 'service', description: 'Health and metrics' },
      ],
    },
    transform: ({ schema, url, route }) => {
      const roles = route.config?.roles;
      const described = {
        ...schema,
        ...(roles === undefined ? {} : { security: [{ bearer: [] }] }),
        ...(roles === undefined || roles.length === 0 ? {} : { 'x-roles': [...roles] }),
        ...headersOf(route.config),
        response: { ...(schema?.response as object | undefined), default: refusal },
      };
      return { schema: described as NonNullable<typeof schema>, url };
    },
  });
  await app.register(swaggerUi, {
    routePrefix: SERVICE_PATHS.docs,
    uiConfig: { docExpansion: 'list', deepLinking: true },
    theme: { title: 'fest API', css: [{ filename: 'fest.css', content: '.swagger-ui .topbar { display: none }' }] },
  });
  app.get(SERVICE_PATHS.openApi, { schema: { hide: true } }, async () => app.swagger());
  registerProblemPages(app);
}

/** Headers stand in the document only: handlers check them, with problems of their own. */
function headersOf({ idempotent, remembersKey, queueToken, challenged }: FastifyContextConfig = {}): object {
  const properties = {
    ...(queueToken === true ? { [QUEUE_TOKEN_HEADER]: Type.String({ description: 'from joining the line' }) } : {}),
    ...(idempotent === true || remembersKey === true
      ? { [IDEMPOTENCY_KEY_HEADER]: Type.Optional(Type.String({ description: 'makes the request safe to repeat' })) }
      : {}),
    ...(challenged === true
      ? { [PROOF_OF_WORK_HEADER]: Type.Optional(Type.String({ description: 'the answer to `challenge_required`' })) }
      : {}),
  };
  return Object.keys(properties).length === 0 ? {} : { headers: Type.Object(properties) };
}

const refusal = { description: 'A problem document', content: { [PROBLEM_MEDIA_TYPE]: { schema: ProblemBody } } };

function registerProblemPages(app: FestApp): void {
  app.get(SERVICE_PATHS.problems, { schema: { hide: true } }, async (_request, reply) => {
    const rows = Object.entries(PROBLEMS).map(
      ([code, { status, title }]) => `| [${code}](${SERVICE_PATHS.problems}/${code}) | ${status} | ${title} |`,
    );
    return reply
      .type('text/html; charset=utf-8')
      .send(page('Problem codes', `# Problem codes\n\n| code | status | title |\n|---|---|---|\n${rows.join('\n')}`));
  });
  app.get(
    `${SERVICE_PATHS.problems}/:code`,
    { schema: { hide: true, params: Type.Object({ code: Type.String({ pattern: '^[a-z_]+$' }) }) } },
    async (request, reply) => {
      const { code } = request.params;
      if (!Object.hasOwn(PROBLEMS, code)) throw new ProblemError('not_found', 'There is no such problem code.');
      const markdown = await readFile(new URL(`${code}.md`, PROBLEM_PAGES), 'utf8');
      return reply.type('text/html; charset=utf-8').send(page(code, markdown));
    },
  );
}

function page(title: string, markdown: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} · fest</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
code,pre{font:14px/1.45 ui-monospace,monospace;background:#f3f3f1;border-radius:4px;padding:.1em .3em}pre{padding:.8em;overflow:auto}pre code{padding:0}
table{border-collapse:collapse}td,th{border-bottom:1px solid #ddd;padding:.35em .8em .35em 0;text-align:left}a{color:#0b57d0}</style></head>
<body>${marked.parse(markdown, { async: false })}</body></html>`;
}
