/** The admission controller's state as text: it is kept in Redis, for the server that leads next. */
import { ADMISSION_LIMITERS, type AdmissionState, initialAdmission } from './admission-controller.ts';
import { freshHealthRate, type HealthRateState } from './health-rate.ts';
import { AGE_CLASSES } from './show-model.ts';

/** Thousandths of a buyer or of a second are exact enough, and keep it under 500 characters. */
const round = (value: number): number => Math.round(value * 1_000) / 1_000;

export function formatAdmission(state: AdmissionState): string {
  return JSON.stringify(state, (_, value: unknown) => (typeof value === 'number' ? round(value) : value));
}

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isNumbers = (value: unknown): boolean =>
  Array.isArray(value) && value.length === AGE_CLASSES && value.every((item) => isNumber(item));

const HEALTH_FIELDS = Object.keys(freshHealthRate()) as readonly (keyof HealthRateState)[];

/** What another version wrote, or nobody, is begun anew. */
export function parseAdmission(text: string): AdmissionState {
  let value: AdmissionState;
  try {
    value = JSON.parse(text) as AdmissionState;
  } catch {
    return initialAdmission();
  }
  const { shows, healthRate, allowance, quietMs, admitted, limitedBy } = value ?? {};
  const isWhole =
    [allowance, quietMs, admitted].every(isNumber) &&
    ADMISSION_LIMITERS.includes(limitedBy) &&
    [shows?.personSeconds, shows?.shows, shows?.counted].every(isNumbers) &&
    HEALTH_FIELDS.every((field) => isNumber(healthRate?.[field]));
  return isWhole ? value : initialAdmission();
}
