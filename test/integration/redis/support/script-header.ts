/** The header of a Lua script, which is its contract, as data. */
import { readdirSync } from 'node:fs';
import { readScriptSource } from '@fest/server/redis/define-script';

export interface ScriptHeader {
  readonly firstLine: string;
  /** The lines that follow `#!lua` and are comments, without their dashes. */
  readonly lines: readonly string[];
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Every word a reply may begin with. */
  readonly statuses: readonly string[];
}

const DIRECTORY = new URL('../../../../packages/server/src/redis/lua/', import.meta.url);

export function listScriptNames(): readonly string[] {
  return readdirSync(DIRECTORY, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name.replace(/\.lua$/, ''))
    .sort();
}

/** A section is its first line and the lines that are indented below it. */
function section(lines: readonly string[], title: string): string {
  const start = lines.findIndex((line) => line.startsWith(`${title} `));
  if (start < 0) return '';
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => !line.startsWith('  '));
  return [lines[start]?.slice(title.length), ...(end < 0 ? rest : rest.slice(0, end))].join(' ').trim();
}

function words(text: string): readonly string[] {
  return text
    .replaceAll(/\([^)]*\)/g, '')
    .split(/\s+/)
    .filter((word) => word !== '');
}

function statusesOf(reply: string): readonly string[] {
  return [...reply.matchAll(/\{([^{},]*)/g)].flatMap(([, first]) =>
    [...(first ?? '').matchAll(/'(\w+)'/g)].map(([, word]) => word ?? ''),
  );
}

export function readHeader(name: string): ScriptHeader {
  const [firstLine = '', ...rest] = readScriptSource(name).split('\n');
  const end = rest.findIndex((line) => !line.startsWith('--'));
  const lines = rest.slice(0, end).map((line) => line.replace(/^-- ?/, ''));
  return {
    firstLine,
    lines,
    keys: words(section(lines, 'KEYS')),
    args: words(section(lines, 'ARGV')),
    statuses: statusesOf(section(lines, 'REPLY')),
  };
}
