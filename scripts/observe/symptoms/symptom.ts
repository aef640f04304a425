/** A fault that is really there, and the alerts that have to say so. */
import type { Alertmanager } from '../alertmanager.ts';
import type { Prometheus } from '../prometheus.ts';
import type { Stage } from '../stage.ts';

export interface Scene {
  readonly stage: Stage;
  /** Where people buy all the time, a few a second. */
  readonly saleId: number;
  /** Folder for what a symptom needs. */
  readonly folder: string;
  readonly prometheus: Pick<Prometheus, 'addRules'>;
  /** Undefined where none is installed. */
  readonly alertmanager: Alertmanager | undefined;
}

export interface Symptom {
  /** What is done, for the report. */
  readonly what: string;
  readonly alerts: readonly string[];
  /** What stands in the way of causing it here; then it is not, loudly. */
  readonly missing?: (scene: Scene) => string | undefined;
  /** Waits until there is what it needs; that is no part of it. */
  readonly ready?: (scene: Scene) => Promise<void>;
  /** Of whom the alerts have to speak, where others may be concerned as well: labels. */
  readonly of?: (scene: Scene) => Readonly<Record<string, string>>;
  /** Causes it, and goes on causing it until the returned function has been called. */
  readonly cause: (scene: Scene) => Promise<() => Promise<void>>;
  /** The alerts fire within this, seconds; a minute where the rules look back over one. */
  readonly withinSeconds: number;
  /** The stage has had it from its start: that its alerts fire already is what it is for. */
  readonly fromStart?: true;
}
