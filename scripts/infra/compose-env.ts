/** The environment file of infra/local/compose.full.yaml. */

/** @param random gives so many random bytes */
export function composeEnvironment(random: (bytes: number) => Buffer): string {
  const password = (): string => random(24).toString('base64url');
  const account = (role: string) => ({
    email: `${role}@local.fest`,
    password: password(),
    name: `Local ${role}`,
    roles: [role],
  });
  const accounts = ['operator', 'organizer', 'staff'].map(account);
  return Object.entries({
    FEST_LOCAL_REDIS_PASSWORD: password(),
    FEST_LOCAL_MYSQL_PASSWORD: password(),
    FEST_LOCAL_MYSQL_ROOT_PASSWORD: password(),
    FEST_LOCAL_GRAFANA_PASSWORD: password(),
    FEST_JWT_SECRET: random(32).toString('hex'),
    FEST_QUEUE_TOKEN_SECRET: random(32).toString('hex'),
    FEST_TICKET_SIGNING_SEED: random(32).toString('base64'),
    FEST_BOOTSTRAP_ACCOUNTS: JSON.stringify(accounts),
  })
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}
