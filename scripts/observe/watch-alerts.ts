/** Causes one symptom after the other and waits until its alerts fire, or the time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActiveAlert, Prometheus } from './prometheus.ts';
import type { Scene, Symptom } from './symptoms/symptom.ts';

export interface Fired {
  readonly alert: string;
  readonly what: string;
  /** After the symptom began; undefined: it did not fire in time. */
  readonly afterSeconds: number | undefined;
  /** It fired before this symptom, because of another one. */
  readonly before: boolean;
  readonly summary: string;
}

export interface Skipped {
  readonly alerts: readonly string[];
  readonly why: string;
}

const LOOK_EVERY_MS = 500;
const NOBODY: ReadonlyMap<string, ActiveAlert> = new Map();

export interface Watching {
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  /** An alert that fires already is waited for so long before its symptom is caused. */
  readonly quietSeconds: number;
}

type Watch = Pick<Prometheus, 'alerts'>;

async function firing(prometheus: Watch, scene: Scene, { of }: Symptom): Promise<ReadonlyMap<string, ActiveAlert>> {
  const labels = Object.entries(of?.(scene) ?? {});
  const active = (await prometheus.alerts()).filter(
    (alert) => alert.state === 'firing' && labels.every(([name, value]) => alert.labels[name] === value),
  );
  return new Map(active.map((alert) => [alert.name, alert]));
}

export async function causeAll(
  scene: Scene,
  symptoms: readonly Symptom[],
  prometheus: Watch,
  { say, signal, quietSeconds }: Watching,
): Promise<{ readonly fired: readonly Fired[]; readonly skipped: readonly Skipped[] }> {
  const [fired, skipped]: [Fired[], Skipped[]] = [[], []];
  for (const symptom of symptoms) {
    signal.throwIfAborted();
    const why = symptom.missing?.(scene);
    if (why !== undefined) {
      say(`\n!!! NOT CAUSED: ${symptom.what}: ${why}. ${symptom.alerts.join(', ')} not shown.\n`);
      skipped.push({ alerts: symptom.alerts, why });
      continue;
    }
    await untilQuiet(scene, symptom, prometheus, { signal, quietSeconds });
    await symptom.ready?.(scene);
    say(`\nSymptom: ${symptom.what}`);
    const results = await causeOne(scene, symptom, prometheus, signal);
    for (const result of results) {
      const when =
        result.afterSeconds === undefined
          ? `DID NOT FIRE within ${symptom.withinSeconds} s`
          : `fires after ${result.afterSeconds} s`;
      say(
        `    ${result.alert} ${when}${result.before ? ' (it fired before)' : ''}${result.summary === '' ? '' : `: ${result.summary}`}`,
      );
    }
    fired.push(...results);
  }
  return { fired, skipped };
}

/** An alert shows something only if it begins to fire. */
async function untilQuiet(
  scene: Scene,
  symptom: Symptom,
  prometheus: Watch,
  { signal, quietSeconds }: Pick<Watching, 'signal' | 'quietSeconds'>,
): Promise<void> {
  if (symptom.fromStart === true) return;
  const untilMs = performance.now() + quietSeconds * 1_000;
  while (performance.now() < untilMs) {
    signal.throwIfAborted();
    const now = await firing(prometheus, scene, symptom);
    if (!symptom.alerts.some((name) => now.has(name))) return;
    await sleep(LOOK_EVERY_MS);
  }
}

async function causeOne(
  scene: Scene,
  symptom: Symptom,
  prometheus: Watch,
  signal: AbortSignal,
): Promise<readonly Fired[]> {
  const before = await firing(prometheus, scene, symptom);
  const found = new Map<string, { readonly alert: ActiveAlert; readonly afterSeconds: number }>();
  const beganMs = performance.now();
  const undo = await symptom.cause(scene);
  try {
    while (found.size < symptom.alerts.length && performance.now() - beganMs < symptom.withinSeconds * 1_000) {
      signal.throwIfAborted();
      // A machine that a symptom keeps busy may not answer in time: it is asked again.
      const now = await firing(prometheus, scene, symptom).catch(() => NOBODY);
      for (const name of symptom.alerts) {
        const alert = now.get(name);
        const afterSeconds = Math.round((performance.now() - beganMs) / 1_000);
        if (alert !== undefined && !found.has(name)) found.set(name, { alert, afterSeconds });
      }
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await undo();
  }
  return symptom.alerts.map((alert) => ({
    alert,
    what: symptom.what,
    afterSeconds: found.get(alert)?.afterSeconds,
    before: before.has(alert) && symptom.fromStart !== true,
    summary: found.get(alert)?.alert.annotations.summary ?? '',
  }));
}
