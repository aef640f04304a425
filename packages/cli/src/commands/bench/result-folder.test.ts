import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchPlan } from '@fest/loadtest/bench/plan';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { describe, expect, it } from 'vitest';
import { createTemporaryFolder } from '../../test-support/temporary-folder.ts';
import { benchId, checkResultFolder, replaceResult, writeResultFolder } from './result-folder.ts';

const result = { id: 'one' } as BenchResult;
const plan = { saleId: 3, operatorToken: 'operator-secret', expiredToken: 'expired-secret' } as BenchPlan;
const files = { result, plan, page: '<html>', markdown: '# one', logFile: undefined };

describe('the folder of a result', () => {
  it('is named after when it began, in UTC, and what it was', () => {
    const atMs = Date.parse('2026-07-01T02:03:04.999+02:00');
    expect(benchId(atMs, 'onsale', 'spike')).toBe('20260701-000304-onsale-spike');
  });

  it('has everything, and no token', () => {
    const folder = createTemporaryFolder();
    const logFile = join(folder, 'k6.log');
    writeFileSync(logFile, 'level=info\n');
    const path = join(folder, 'new', 'one');
    writeResultFolder(path, { ...files, logFile });
    expect(readdirSync(path).toSorted()).toEqual(['k6.log', 'plan.json', 'report.html', 'result.json', 'summary.md']);
    expect(JSON.parse(readFileSync(join(path, 'result.json'), 'utf8'))).toEqual(result);
    const all = readdirSync(path).map((name) => readFileSync(join(path, name), 'utf8'));
    expect(all.join('\n')).not.toMatch(/secret/);
    expect(readdirSync(join(folder, 'new'))).toEqual(['one']);
  });

  it('is not there at all when it could not be written', () => {
    const folder = createTemporaryFolder();
    const path = join(folder, 'two');
    const circular = { ...plan, behaviour: {} as Record<string, unknown> };
    circular.behaviour.itself = circular.behaviour;
    expect(() => writeResultFolder(path, { ...files, plan: circular as unknown as BenchPlan })).toThrow(/circular/);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is written again, file by file, when more is known; the log stays', () => {
    const folder = createTemporaryFolder();
    const logFile = join(folder, 'k6.log');
    writeFileSync(logFile, 'level=info\n');
    const path = join(folder, 'new', 'one');
    writeResultFolder(path, { ...files, logFile });
    const later = { ...result, id: 'later' };
    replaceResult(path, { ...files, result: later, page: '<p>', markdown: '# two' });
    expect(readdirSync(path).toSorted()).toEqual(['k6.log', 'plan.json', 'report.html', 'result.json', 'summary.md']);
    expect(JSON.parse(readFileSync(join(path, 'result.json'), 'utf8'))).toEqual(later);
    expect(readFileSync(join(path, 'summary.md'), 'utf8')).toBe('# two');
    expect(readdirSync(join(folder, 'new'))).toEqual(['one']);
  });

  it('is as it was when it could not be written again', () => {
    const path = join(createTemporaryFolder(), 'one');
    writeResultFolder(path, files);
    const circular: Record<string, unknown> = {};
    circular.itself = circular;
    expect(() => replaceResult(path, { ...files, page: 'new', result: circular as unknown as BenchResult })).toThrow(
      /circular/,
    );
    expect(readFileSync(join(path, 'report.html'), 'utf8')).toBe('<html>');
    expect(JSON.parse(readFileSync(join(path, 'result.json'), 'utf8'))).toEqual(result);
  });

  it('is never written over', () => {
    const path = join(createTemporaryFolder(), 'three');
    expect(() => checkResultFolder(path)).not.toThrow();
    mkdirSync(path);
    expect(() => checkResultFolder(path)).toThrow(/exists already/);
  });
});
