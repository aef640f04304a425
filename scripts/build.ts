/** Builds all packages through turbo, and is silent unless something is wrong or takes long enough to wonder. */
import { $ } from 'zx';

const started = performance.now();
const build = await $({
  nothrow: true,
  quiet: true,
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
})`turbo run build --output-logs=errors-only ${process.argv.slice(2)}`;
if (build.exitCode !== 0) {
  process.stderr.write(`${build.stdout}${build.stderr}\nThe build failed.\n`);
  process.exitCode = 1;
} else {
  const seconds = (performance.now() - started) / 1000;
  if (seconds > 1.5) process.stderr.write(`built in ${seconds.toFixed(1)} s\n`);
}
