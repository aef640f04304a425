import { K6_PACKAGE } from './build-k6.ts';
import { K6_IMAGE } from './container.ts';
import { BUILD_FOLDER, neededGo } from './go-program.ts';
import { NEEDED_MAJOR, PINNED_VERSION } from './k6-version.ts';

/** There is no k6 that fits, and none can be made. Says what to do. */
export class K6NotFoundError extends Error {
  override readonly name = 'K6NotFoundError';
  readonly what: string;
  readonly why: string;
  /** Several lines. */
  readonly fix: string;

  constructor(details: { readonly what: string; readonly why: string; readonly fix: string }) {
    super(`${details.what}: ${details.why}`);
    this.what = details.what;
    this.why = details.why;
    this.fix = details.fix;
  }
}

/** What somebody named is not what is needed. @param how `--k6` or `K6_BIN` */
export function wrongK6(how: string, path: string, why: string): K6NotFoundError {
  return new K6NotFoundError({
    what: `${how} names ${path}, which cannot run the load tests`,
    why,
    fix: `Name a k6 of version ${NEEDED_MAJOR}, or leave ${how} out: it is then looked for, built or run as a container.`,
  });
}

/** @param reasons why each way that was tried does not lead to one */
export function noK6(reasons: readonly string[], bin: string): K6NotFoundError {
  return new K6NotFoundError({
    what: `There is no k6 ${NEEDED_MAJOR} here`,
    why: reasons.join('; '),
    fix: `Any one of these will do:
  - install k6 ${NEEDED_MAJOR} so that it is in PATH (macOS: brew install k6; others:
    https://grafana.com/docs/k6/latest/set-up/install-k6/), or name it: --k6 <path> or K6_BIN=<path>
  - install Go ${neededGo()} or later; the next run builds k6 by itself, or do it by hand:
    (cd ${quoted(BUILD_FOLDER)} && go build -trimpath -o ${quoted(`${bin}/k6`)} ${K6_PACKAGE})
  - start Docker or Podman; the next run pulls the image by itself, or do it by hand:
    docker pull ${K6_IMAGE}
k6 v${PINNED_VERSION} is what the load tests were made with.`,
  });
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
