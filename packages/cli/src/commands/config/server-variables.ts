import { describeConfig } from '@fest/server/config';
import type { Context } from '../../context.ts';
import { stackPaths } from '../../local-stack/paths.ts';
import { ensureSecrets } from '../../local-stack/secrets.ts';
import { serverEnvironment } from '../../local-stack/servers.ts';
import type { Settings } from '../../settings.ts';

/** A variable of a server, and who sets it. */
export interface ServerVariable {
  readonly name: string;
  readonly value: unknown;
  readonly source: 'environment' | 'local stack' | 'default' | 'missing';
  readonly fault?: string;
}

/**
 * What a server that is started now would be told: one of the stack that runs in the folder, or else one that is started by hand,
 * if the environment has anything for it. Undefined when it has nothing.
 */
export function listServerVariables(context: Context, settings: Settings): readonly ServerVariable[] | undefined {
  const told = stackEnvironment(context, settings) ?? context.env;
  if (told === context.env && ['FEST_LOG_DIR', 'FEST_JWT_SECRET'].every((name) => !context.env[name])) return undefined;
  return describeConfig(told).map(({ env: name, value, isSet, fault }) => ({
    name,
    value: value ?? null,
    source: isSet ? (told[name] === context.env[name] ? 'environment' : 'local stack') : fault ? 'missing' : 'default',
    ...(fault === undefined ? {} : { fault }),
  }));
}

function stackEnvironment({ env }: Context, { directory, localState }: Settings): Context['env'] | undefined {
  const [server] = localState?.servers ?? [];
  if (localState === undefined || server === undefined) return undefined;
  const paths = stackPaths(directory);
  const { redisUrl, mysqlUrl } = localState;
  const secrets = ensureSecrets(paths.secrets);
  return serverEnvironment({ env, paths, secrets, redisUrl, mysqlUrl, name: server.name, port: server.port });
}
