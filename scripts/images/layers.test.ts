import { expect, test } from 'vitest';
import { npmSettings } from './layers.ts';

test('a build has the registry, the proxy and the certificates of this machine', () => {
  const env = {
    npm_config_registry: 'https://packages.example.org',
    NPM_CONFIG_STRICT_SSL: 'true',
    HTTPS_PROXY: 'http://proxy.example.org',
    no_proxy: 'localhost',
    NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/own.pem',
  };
  expect(npmSettings({ ...env, PATH: '/bin', FEST_JWT_SECRET: 'x' })).toEqual(env);
});

test('but not the folders of the npm that started it, nor its silence', () => {
  const env = {
    npm_config_globalconfig: '/here/etc/npmrc',
    npm_config_userconfig: '/root/.npmrc',
    npm_config_prefix: '/here',
    npm_config_local_prefix: '/here',
    npm_config_cache: '/root/.npm',
    npm_config_loglevel: 'silent',
  };
  expect(npmSettings(env)).toEqual({});
});
