import { describe, expect, test } from 'vitest';
import { chooseEngineSource, type EngineFacts, installCommand } from './engine-choice.ts';

const program = { path: '/usr/bin/redis-server', flavour: 'redis' } as const;
const mariadb = { path: '/usr/sbin/mariadbd', flavour: 'mariadb', initialiser: '/usr/bin/mariadb-install-db' } as const;
const everything: EngineFacts = {
  givenUrls: { redis: 'redis://given', mysql: 'mysql://given' },
  programs: { redis: program, mysql: mariadb },
  docker: { available: true },
  apt: { available: true },
  platform: 'linux',
};
const noDocker = { available: false, reason: 'there is no docker command' } as const;
const noApt = { available: false, reason: 'only done as root' } as const;

describe('an engine comes from', () => {
  test.each<[string, Partial<EngineFacts>, string]>([
    ['the URL that was given, whatever else there is', {}, 'given'],
    ['a private server when no URL was given', { givenUrls: {} }, 'private'],
    ['Docker when no program is installed', { givenUrls: {}, programs: {} }, 'docker'],
    ['an installation when there is no Docker', { givenUrls: {}, programs: {}, docker: noDocker }, 'install'],
    ['nowhere when nothing is left', { givenUrls: {}, programs: {}, docker: noDocker, apt: noApt }, 'missing'],
  ])('%s', (_, facts, kind) => {
    expect(chooseEngineSource('redis', { ...everything, ...facts }).kind).toBe(kind);
    expect(chooseEngineSource('mysql', { ...everything, ...facts }).kind).toBe(kind);
  });

  test('its own rung: one may be given while the other is installed', () => {
    const facts = { ...everything, givenUrls: { mysql: 'mysql://given' }, programs: {}, docker: noDocker };
    expect(chooseEngineSource('mysql', facts)).toEqual({ kind: 'given', url: 'mysql://given' });
    expect(chooseEngineSource('redis', facts).kind).toBe('install');
  });

  test('nowhere, with the reasons of each rung', () => {
    const facts = { ...everything, givenUrls: {}, programs: {}, docker: noDocker, apt: noApt };
    expect(chooseEngineSource('redis', facts)).toEqual({
      kind: 'missing',
      reasons: ['Docker: there is no docker command', 'installing: only done as root'],
    });
  });
});

test('the command to run names only what is missing', () => {
  expect(installCommand(['mysql'], 'linux')).toMatch(/install .*mariadb-server$/);
  expect(installCommand(['redis', 'mysql'], 'darwin')).toBe('brew install redis mariadb');
});
