/** What `docker build` would send: the files of a folder that its `.dockerignore` lets in. */
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface IgnoreRule {
  readonly pattern: string;
  /** Lets in what rules before have kept out. */
  readonly lets: boolean;
}

export function parseIgnoreRules(text: string): readonly IgnoreRule[] {
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ pattern: line.replace(/^!/, '').replace(/\/$/, ''), lets: line.startsWith('!') }));
}

/** Go's patterns, as Docker takes them: a star also stands for a dot at the beginning. */
function expressionOf(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*\/|\*\*|\*|\?)/).map((part) => {
    if (part === '**/') return '(?:.*/)?';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

/** The last rule that names the path, or a folder it is in, decides. */
export function isLetIn(path: string, rules: readonly IgnoreRule[]): boolean {
  const parts = path.split('/');
  const places = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const last = rules.findLast(({ pattern }) => places.some((place) => expressionOf(pattern).test(place)));
  return last === undefined || last.lets;
}

/** Copies what is let in to another folder. @returns how many files */
export function copyContext(from: string, to: string): number {
  const rules = parseIgnoreRules(readFileSync(join(from, '.dockerignore'), 'utf8'));
  const paths = filesIn(from, '').filter((path) => isLetIn(path, rules));
  for (const path of paths) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(from, path), join(to, path), { verbatimSymlinks: true });
  }
  return paths.length;
}

/** Large, and never let in: not even looked at. */
const NOT_LOOKED_AT = new Set(['node_modules', '.git', '.fest', '.turbo', 'dist']);

function filesIn(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return NOT_LOOKED_AT.has(entry.name) ? [] : filesIn(root, path);
  });
}
