import { vi } from 'vitest';
import type { TestApp } from './test-app.ts';

/** MySQL is not there for this server while `work` runs; other servers still have it. */
export async function withoutMysql<Result>({ services }: TestApp, work: () => Promise<Result>): Promise<Result> {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:3306'), { code: 'ECONNREFUSED' });
  const connection = vi.spyOn(services.mysql, 'getConnection').mockRejectedValue(refused);
  try {
    return await work();
  } finally {
    connection.mockRestore();
  }
}
