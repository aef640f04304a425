import { resolveLoad } from '@fest/loadtest/bench/profiles';
import { describe, expect, it } from 'vitest';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';
import type { LocalState } from '../../local-stack/local-state.ts';
import type { Settings } from '../../settings.ts';
import { createFakeContext } from '../../test-support/fake-context.ts';
import { parseBenchOptions } from './options.ts';
import { agree, type BenchTarget, type Consenting, findTarget, isLoopback } from './target.ts';

const LOCAL = 'http://127.0.0.1:8080';
const REMOTE = 'https://tickets.example';
const state = { baseUrls: [LOCAL, 'http://127.0.0.1:8081'] } as unknown as LocalState;
const url = (value: string, source: Settings['url']['source']) => ({ url: { value, source } });

describe('the target of a load test', () => {
  it('is a stack made for the run when none runs and nothing is named', () => {
    expect(findTarget({ targets: undefined }, url(LOCAL, 'default'), undefined)).toEqual({ kind: 'ownStack' });
    // What a stack that was killed has left says nothing.
    expect(findTarget({ targets: undefined }, url(LOCAL, 'local stack'), undefined)).toEqual({ kind: 'ownStack' });
  });

  it('is the stack that runs in the folder, all of it or the servers that are named', () => {
    expect(findTarget({ targets: undefined }, url(LOCAL, 'local stack'), state)).toMatchObject({
      kind: 'runningStack',
      baseUrls: state.baseUrls,
    });
    expect(findTarget({ targets: [LOCAL] }, url(LOCAL, 'local stack'), state)).toMatchObject({
      kind: 'runningStack',
      baseUrls: [LOCAL],
    });
  });

  it('is what is named: by --target, else by --url, the environment or its profile', () => {
    expect(findTarget({ targets: [REMOTE] }, url(LOCAL, 'flag'), undefined)).toMatchObject({ baseUrls: [REMOTE] });
    for (const source of ['flag', 'environment', 'profile', 'file'] as const) {
      const target = findTarget({ targets: undefined }, url(REMOTE, source), state);
      expect(target).toEqual({ kind: 'servers', baseUrls: [REMOTE], state });
    }
  });

  it.each([
    ['http://localhost:8080', true],
    ['http://127.0.0.1:8080', true],
    ['http://127.8.9.1', true],
    ['http://[::1]:8080', true],
    ['http://127.0.0.1.example.org', false],
    ['http://localhost.example.org', false],
    ['http://10.0.0.1', false],
    ['https://tickets.example', false],
  ])('%s is on this machine: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected);
  });
});

describe('whoever sends load elsewhere', () => {
  const request = parseBenchOptions('onsale', { profile: 'smoke' });
  const resolved = resolveLoad('onsale', 'smoke');
  const servers = (...baseUrls: readonly string[]): BenchTarget => ({ kind: 'servers', baseUrls, state: undefined });
  const consenting = (change: Partial<Consenting>): Consenting => ({
    request,
    resolved,
    target: servers(REMOTE),
    environment: undefined,
    allowRemote: false,
    confirm: undefined,
    ...change,
  });
  const refusal = async (change: Partial<Consenting>): Promise<FixableError> => {
    const error = await agree(createFakeContext(), consenting(change)).catch((thrown: unknown) => thrown);
    if (error instanceof FixableError) return error;
    throw new Error('nothing was refused');
  };

  it('is told how much, how many accounts and tickets, and that --allow-remote allows it', async () => {
    const { details, exitCode } = await refusal({ target: servers(LOCAL, REMOTE) });
    expect(exitCode).toBe(EXIT.usage);
    expect(details.what).toBe(`${REMOTE} is not on this machine`);
    expect(details.why).toMatch(/[\d,]+ visits, up to 40 a second, for \d+ s at most, at 2 servers/);
    expect(details.why).toContain(`${resolved.buyers} accounts`);
    expect(details.why).toContain(`${resolved.sale.capacity} tickets`);
    expect(details.fix).toContain('--allow-remote');
  });

  it('needs no more than that flag', async () => {
    await agree(createFakeContext(), consenting({ allowRemote: true }));
    await agree(createFakeContext(), consenting({ target: servers(LOCAL) }));
    await agree(createFakeContext(), consenting({ target: { kind: 'ownStack' } }));
  });

  it('has to name a production environment, and no other', async () => {
    const environment = { name: 'live', production: true };
    const { details, exitCode } = await refusal({ environment, allowRemote: true });
    expect(exitCode).toBe(EXIT.usage);
    expect(details.fix).toContain('--confirm live');
    expect((await refusal({ environment, allowRemote: true, confirm: 'staging' })).details.what).toContain('staging');
    // The name alone does not stand for the flag.
    expect((await refusal({ environment, confirm: 'live' })).details.fix).toContain('--allow-remote');
    await agree(createFakeContext(), consenting({ environment, allowRemote: true, confirm: 'live' }));
    const staging = { name: 'staging', production: false };
    await agree(createFakeContext(), consenting({ environment: staging, allowRemote: true }));
  });
});
