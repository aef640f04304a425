/** What servers wrote into their logs as errors. They are no violations, but each kind should be understood. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

const KINDS = 30;

/** Message → how often, the most frequent first. */
export async function countAlarms(logFiles: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const counts = new Map<string, number>();
  for (const file of logFiles) {
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const alarm = alarmOf(line);
      if (alarm !== undefined) counts.set(alarm, (counts.get(alarm) ?? 0) + 1);
    }
  }
  const frequent = [...counts].sort(([, left], [, right]) => right - left).slice(0, KINDS);
  return Object.fromEntries(frequent);
}

function alarmOf(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, msg, err } = JSON.parse(line) as { level: string; msg?: string; err?: { message?: string } };
    if (level !== 'error' && level !== 'fatal') return undefined;
    // Ids and numbers differ from case to case; the kind is what counts.
    const reason = err?.message?.replaceAll(/\/\S+|\b(pay|ord|hold)_[\w-]+|\d+/g, '…').slice(0, 120);
    return `${level}: ${msg ?? ''}${reason === undefined ? '' : ` (${reason})`}`;
  } catch {
    // A line that a kill cut off.
    return undefined;
  }
}
