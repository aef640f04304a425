/**
 * What the server's paths are measured against: Fastify that does nothing but answer (C0), that and one INCR (C1), that and one
 * script that does nothing (C2). The same Fastify, the same Redis client with the same settings as the server's; each command is
 * written by itself, as ioredis does it.
 */
import { COMMAND_OPTIONS } from '@fest/server/platform/redis';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import { CEILING_ANSWER, CEILING_PATHS, type FromCeilings } from './ceilings.ts';

const COUNTER = 'fest:bench:counter';
const NO_OP = 'return 1';

// Not the server's own connections: a ceiling is what these libraries do as they come.
const redis = new Redis(process.env.REDIS_URL ?? '', COMMAND_OPTIONS);
await redis.connect();
const sha = String(await redis.script('LOAD', NO_OP));

const app = Fastify();
app.get(CEILING_PATHS.constant, (_request, reply) => {
  reply.type('application/json').send(CEILING_ANSWER);
});
app.get(CEILING_PATHS.increment, async (_request, reply) => {
  await redis.incr(COUNTER);
  return reply.type('application/json').send(CEILING_ANSWER);
});
app.get(CEILING_PATHS.script, async (_request, reply) => {
  await redis.evalsha(sha, 1, COUNTER);
  return reply.type('application/json').send(CEILING_ANSWER);
});
await app.listen({ host: '127.0.0.1', port: 0 });
const address = app.server.address();
const message: FromCeilings = { port: typeof address === 'object' && address !== null ? address.port : 0 };
process.send?.(message);
process.on('disconnect', () => process.exit(0));
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);
