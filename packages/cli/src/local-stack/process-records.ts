import { isRecord, readJsonIfPresent, writePrivateFile } from '../private-files.ts';
import type { ProcessIdentity } from './processes.ts';

export interface RecordedProcess extends ProcessIdentity {
  readonly name: string;
  /** Servers are stopped before the engines they use. */
  readonly kind: 'server' | 'engine';
}

/** Containers that were started with `docker compose`: they belong to Docker, so they are stopped through it. */
export interface RecordedCompose {
  readonly docker: string;
  readonly project: string;
  readonly file: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** `.fest/pids.json`: everything a supervisor has running, so that whoever comes after its death can stop it. */
export interface ProcessRecords {
  readonly schema: 'fest.pids/1';
  readonly supervisor: ProcessIdentity;
  readonly processes: readonly RecordedProcess[];
  readonly compose?: RecordedCompose;
}

export function writeProcessRecords(path: string, records: ProcessRecords): void {
  writePrivateFile(path, `${JSON.stringify(records, undefined, 2)}\n`);
}

/** What a supervisor recorded; undefined when there is nothing or it is unreadable. */
export function findProcessRecords(path: string): ProcessRecords | undefined {
  const value = readJsonIfPresent(path);
  if (!isRecord(value) || value.schema !== 'fest.pids/1' || !isIdentity(value.supervisor)) return undefined;
  const processes = Array.isArray(value.processes) ? value.processes.filter(isRecordedProcess) : [];
  const { pid, startTime } = value.supervisor;
  return {
    schema: 'fest.pids/1',
    supervisor: { pid, startTime },
    processes,
    ...(isRecordedCompose(value.compose) ? { compose: value.compose } : {}),
  };
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return (
    isRecord(value) && Number.isSafeInteger(value.pid) && Number(value.pid) > 1 && typeof value.startTime === 'string'
  );
}

function isRecordedProcess(value: unknown): value is RecordedProcess {
  if (!isIdentity(value) || !('name' in value) || !('kind' in value)) return false;
  return typeof value.name === 'string' && (value.kind === 'server' || value.kind === 'engine');
}

function isRecordedCompose(value: unknown): value is RecordedCompose {
  if (!isRecord(value) || !isRecord(value.environment)) return false;
  return [value.docker, value.project, value.file, ...Object.values(value.environment)].every(
    (member) => typeof member === 'string',
  );
}
