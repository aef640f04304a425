/**
 * Makes the passwords and keys that infra/local/compose.full.yaml asks for, once: with others the data in its volumes is of no use.
 * Usage: node scripts/write-compose-env.ts [file]      default: .fest/compose.env
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { composeEnvironment } from './infra/compose-env.ts';

const file = resolve(process.argv[2] ?? '.fest/compose.env');
if (existsSync(file)) {
  process.stderr.write(`${file} is there already, and stays as it is.\n`);
} else {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, composeEnvironment(randomBytes), { mode: 0o600, flag: 'wx' });
  process.stdout.write(`${file}\n`);
}
