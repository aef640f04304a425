import { expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import { checkPrepareOnly, segmentCommands } from './prepare-only.ts';

function refusal(scenario: 'mix' | 'websocket' | 'onsale', out: string | undefined): FixableError {
  try {
    checkPrepareOnly(scenario, out);
  } catch (error) {
    if (error instanceof FixableError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

it('shares a load out to three k6 without a gap, by the same sequence', () => {
  const commands = segmentCommands('/srv/plan.json', '/srv/onsale.js', 3);
  const segments = commands.map((command) => /--execution-segment "([^"]+)"/.exec(command)?.[1]);
  expect(segments).toEqual(['0:1/3', '1/3:2/3', '2/3:1']);
  for (const command of commands) {
    expect(command).toContain('--execution-segment-sequence "0,1/3,2/3,1" /srv/onsale.js');
    expect(command).toContain('-e FEST_BENCH_PLAN=/srv/plan.json --no-setup --no-teardown');
  }
});

it('refuses scenarios that only one k6 can run, and wants a folder', () => {
  expect(refusal('mix', '/work').details.what).toBe('mix is for one k6 only');
  expect(refusal('websocket', '/work').exitCode).toBe(EXIT.usage);
  expect(refusal('onsale', undefined).details.what).toBe('--prepare-only needs --out');
  expect(() => checkPrepareOnly('onsale', '/work')).not.toThrow();
});
