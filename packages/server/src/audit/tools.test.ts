import { expect, it } from 'vitest';
import { quoted, toolsFor } from './tools.ts';

it.each([
  ['redis://127.0.0.1:6380/2', 'redis-cli -h 127.0.0.1 -p 6380 -n 2'],
  ['redis://10.0.0.7', 'redis-cli -h 10.0.0.7 -p 6379'],
  ['redis://:geheim@localhost:6379/0', 'redis-cli -h localhost -p 6379 --askpass'],
  ['rediss://app:geheim@[::1]:7000', 'redis-cli -h ::1 -p 7000 --tls --user app --askpass'],
])('reaches %s', (redisUrl, commandLine) => {
  expect(toolsFor({ redisUrl }).redisCli).toBe(commandLine);
});

it.each([
  ['mysql://root@127.0.0.1:3307/fest', 'mysql -h 127.0.0.1 -P 3307 -u root fest'],
  ['mysql://fest:ge%24heim@db.example/fest', 'mysql -h db.example -P 3306 -u fest -p fest'],
  ['mysql://o%27brien:x@db/a%20b', `mysql -h db -P 3306 -u 'o'\\''brien' -p 'a b'`],
])('reaches %s', (mysqlUrl, commandLine) => {
  expect(toolsFor({ mysqlUrl }).mysql).toBe(commandLine);
});

it('never writes a password', () => {
  const tools = toolsFor({ redisUrl: 'redis://u:geheim@r', mysqlUrl: 'mysql://u:geheim@m/fest' });
  expect(JSON.stringify(tools)).not.toContain('geheim');
});

it('quotes what a shell would take apart', () => {
  expect(quoted('fest:{3}:payment:pay_3_x')).toBe("'fest:{3}:payment:pay_3_x'");
  expect(quoted('/srv/fest/log-1')).toBe('/srv/fest/log-1');
});
