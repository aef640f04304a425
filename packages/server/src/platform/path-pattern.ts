/** Paths with one parameter that is a whole segment, told without a router. */
import { API_PREFIX } from '../contract/paths.ts';

export interface PathPattern {
  /** As Fastify has it, prefix included; requests are counted under it. */
  readonly route: string;
  /** The parameter of a URL, not decoded; undefined for a URL of another path. */
  readonly parameterOf: (url: string) => string | undefined;
}

/** @param route relative to `API_PREFIX` */
export function pathPattern(route: string): PathPattern {
  const whole = API_PREFIX + route;
  const [prefix = '', suffix = ''] = whole.split(/:\w+/);
  return {
    route: whole,
    parameterOf: (url) =>
      url.endsWith(suffix) && url.startsWith(prefix) ? url.slice(prefix.length, url.length - suffix.length) : undefined,
  };
}
