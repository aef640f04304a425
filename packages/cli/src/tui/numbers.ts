/** Figures as an operator reads them: short, never rounded to something better than it is. */

/** `11,204` */
export function formatCount(value: number): string {
  return String(Math.trunc(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** One decimal where it can be told apart: `0.4`, `99.9`, `1,204`. Cut, not rounded. */
export function formatRate(value: number): string {
  return value < 100 ? (Math.floor(value * 10) / 10).toFixed(1) : formatCount(value);
}

/** `0.4 ms`, `120 ms`, `2.5 s`; rounded up. A dash where nothing was measured: that is not fast. */
export function formatMs(value: number | null): string {
  if (value === null) return '–';
  if (value < 10) return `${(Math.ceil(value * 10) / 10).toFixed(1)} ms`;
  return value < 10_000 ? `${formatCount(Math.ceil(value))} ms` : `${(Math.ceil(value / 100) / 10).toFixed(1)} s`;
}

/** `512 MiB`, `1.5 GiB` */
export function formatBytes(value: number): string {
  const mebibytes = value / 1_048_576;
  return mebibytes < 1_024 ? `${Math.ceil(mebibytes)} MiB` : `${(Math.ceil(mebibytes / 102.4) / 10).toFixed(1)} GiB`;
}

/** `24 %`; 100 % only when it is all. */
export function formatShare(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** How long something takes or is ago: `4 s`, `2 min`, `3 h`, `2 d`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

/** Processors' worth of time, `0.42`; null where it is not known. */
export function formatProcessors(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

/** How long a run goes on: `0:34`, `12:00`, `1:30:00`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const padded = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes, end] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, padded(seconds % 60)];
  return hours === 0 ? `${minutes}:${end}` : `${hours}:${padded(minutes)}:${end}`;
}

/** Time of day of an instant, UTC: `18:00:05`. */
export function formatClock(atMs: number): string {
  return Number.isFinite(atMs) ? new Date(atMs).toISOString().slice(11, 19) : '--:--:--';
}
