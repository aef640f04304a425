/** The folder of a result: `.fest/bench/<id>/`. It appears with all its files, or not at all. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BenchPlan, BenchProfile, BenchScenario } from '@fest/loadtest/bench/plan';
import type { BenchResult } from '@fest/loadtest/bench/result';
import { FixableError } from '../../errors.ts';
import { EXIT } from '../../exit-codes.ts';

/** `20260701-120000-onsale-average`, in UTC. */
export function benchId(startedAtMs: number, scenario: BenchScenario, profile: BenchProfile): string {
  const [date = '', time = ''] = new Date(startedAtMs).toISOString().split('T');
  return `${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}-${scenario}-${profile}`;
}

export interface ResultFiles {
  readonly result: BenchResult;
  readonly plan: BenchPlan;
  /** One file that opens without a network. */
  readonly page: string;
  readonly markdown: string;
  /** Where k6 left its log; undefined: it wrote none. */
  readonly logFile: string | undefined;
}

/** @throws FixableError when a folder that was asked for has something in it */
export function checkResultFolder(folder: string): void {
  if (!existsSync(folder)) return;
  throw new FixableError({
    what: `${folder} exists already`,
    why: 'results are never written over',
    fix: 'Name another folder with --out, or leave it out: results go to .fest/bench/<id>.',
    exitCode: EXIT.usage,
  });
}

/** Tokens are no part of a result: whoever may read it may not sell tickets with it. */
export function withoutTokens(plan: BenchPlan): Omit<BenchPlan, 'operatorToken' | 'expiredToken'> {
  const { operatorToken: _, expiredToken: __, ...rest } = plan;
  return rest;
}

/** @param folder that does not exist yet */
export function writeResultFolder(folder: string, files: ResultFiles): void {
  const parent = dirname(folder);
  mkdirSync(parent, { recursive: true });
  const temporary = mkdtempSync(join(parent, `.${basename(folder)}-`));
  try {
    for (const [name, content] of contentsOf(files)) write(join(temporary, name), content);
    const { logFile } = files;
    if (logFile !== undefined && existsSync(logFile)) cpSync(logFile, join(temporary, 'k6.log'));
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** Another result in the place of the one that is there. Each file is the old one or the new one, never a part; `result.json` is the last. */
export function replaceResult(folder: string, files: ResultFiles): void {
  const temporary = mkdtempSync(join(dirname(folder), `.${basename(folder)}-`));
  try {
    const contents = contentsOf(files);
    for (const [name, content] of contents) write(join(temporary, name), content);
    for (const [name] of contents) renameSync(join(temporary, name), join(folder, name));
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function contentsOf({ result, plan, page, markdown }: ResultFiles): readonly (readonly [string, string])[] {
  return [
    ['plan.json', `${JSON.stringify(withoutTokens(plan), undefined, 2)}\n`],
    ['report.html', page],
    ['summary.md', markdown],
    ['result.json', `${JSON.stringify(result, undefined, 2)}\n`],
  ];
}

function write(path: string, content: string): void {
  writeFileSync(path, content, { flush: true, mode: 0o644 });
}
