/**
 * Starts a real Redis and a real MySQL or MariaDB for the integration tests, once a run, in a folder of their own.
 * `FEST_TEST_MYSQL_URL` and `FEST_TEST_REDIS_URL` put others in their place: the same tests then check those.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines } from '@fest/cli/local-stack/engines';
import mysql from 'mysql2/promise';
import type { TestProject } from 'vitest/node';

export interface TestEngines {
  readonly redisUrl: string;
  readonly mysqlUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Null on a machine without engines; never in CI. */
    engines: TestEngines | null;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'fest-test-'));
  const {
    FEST_TEST_MYSQL_URL: mysqlUrl,
    FEST_TEST_REDIS_URL: redisUrl,
    FEST_REDIS_URL: _,
    FEST_MYSQL_URL: __,
    ...env
  } = process.env;
  try {
    const engines = await startEngines({
      directory,
      env: {
        ...env,
        ...(mysqlUrl === undefined ? {} : { FEST_MYSQL_URL: mysqlUrl }),
        ...(redisUrl === undefined ? {} : { FEST_REDIS_URL: redisUrl }),
      },
    });
    process.stderr.write(`integration tests on MySQL ${await versionOf(engines.mysqlUrl)}\n`);
    project.provide('engines', { redisUrl: engines.redisUrl, mysqlUrl: engines.mysqlUrl });
    return async () => {
      await engines.stop();
      await rm(directory, { recursive: true, force: true });
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    if (process.env.CI !== undefined) throw error;
    process.stderr.write(
      `\n!!! NO INTEGRATION TEST RUNS: Redis and MySQL could not be started.\n${error instanceof Error ? error.message : error}\n\n`,
    );
    project.provide('engines', null);
    return async () => undefined;
  }
}

/** Said at the start of each run, so that nobody mistakes one engine for the other. */
async function versionOf(mysqlUrl: string): Promise<string> {
  const connection = await mysql.createConnection({ uri: mysqlUrl });
  const [rows] = await connection.query<mysql.RowDataPacket[]>('SELECT VERSION() AS version');
  await connection.end();
  return String(rows[0]?.version);
}
