import { describe, expect, test } from '@jest/globals';
import { problemsWith } from './testing/config.ts';

const envValue =
  'text (put numbers and booleans in quotes), { secret: NAME, key: KEY }, { configMap: NAME, key: KEY }, { field: FIELD }, { resource: RESOURCE } or { value: TEXT, notSecret: REASON }';
const subdomain =
  'a DNS subdomain: up to 253 characters of a-z, 0-9, hyphen and dot, starting and ending with a letter or digit';
const objectKey = '1 to 253 letters, digits, hyphens, underscores and dots';

describe('parseAppConfig', () => {
  test.each<[string, unknown, string]>([
    [
      'env',
      ['A=b'],
      'env: wrong value of type list; allowed a mapping from variable names to text, or to where the value comes from',
    ],
    ['env.TOKEN', 1234, `env.TOKEN: wrong value of type number; allowed ${envValue}`],
    ['env.TOKEN', { secret: 'tokens' }, `env.TOKEN: wrong value of type mapping; allowed ${envValue}`],
    [
      'env.TOKEN',
      { secret: 'tokens', configMap: 'settings', key: 'a' },
      `env.TOKEN: wrong value of type mapping; allowed ${envValue}`,
    ],
    [
      'env.TOKEN',
      { value: 'x', notSecret: '' },
      'env.TOKEN.notSecret: wrong value of type string; allowed why it is not a secret: one line of 1 to 300 characters',
    ],
    [
      'env.TOKEN',
      { secret: 'API_Tokens', key: 'a' },
      `env.TOKEN.secret: not a valid name for a Secret; allowed ${subdomain}`,
    ],
    [
      'env.TOKEN',
      { configMap: '-settings', key: 'a' },
      `env.TOKEN.configMap: not a valid name for a ConfigMap; allowed ${subdomain}`,
    ],
    [
      'env.TOKEN',
      { secret: 'tokens', key: 'a/b' },
      `env.TOKEN.key: not a valid key of a Secret or ConfigMap; allowed ${objectKey}`,
    ],
    [
      'env.DRAIN_LIMIT_MS',
      '1000',
      'env.DRAIN_LIMIT_MS: reserved: the charts set this variable for every container; fix: remove it, and set shutdown.drainSeconds',
    ],
    [
      'env.2ND',
      'x',
      'env.2ND: not a valid name for an environment variable; received "2ND"; allowed letters, digits and underscores, not starting with a digit',
    ],
    ...(
      [
        ['LD_PRELOAD', 'loads code into the program, or changes how it is loaded'],
        ['NODE_OPTIONS', 'gives Node options or code beside its image'],
        ['NODE_TLS_REJECT_UNAUTHORIZED', 'weakens TLS'],
      ] as const
    ).map(([name, what]): [string, unknown, string] => [
      `env.${name}`,
      '0',
      `env.${name}: ${what}; fix: remove it`,
    ]),
    [
      'env.LATER',
      'https://$(HOTS)/$(POD_NAME)',
      'env.LATER: uses a variable that is not set before it; received "$(HOTS)"; allowed GREETING, TOKEN, MODE, CLUSTER_NAME, ' +
        'POD_NAME, POD_NAMESPACE, METRICS_PORT, SERVICE_VERSION; fix: set it before, or write $$(HOTS) for the text itself',
    ],
    [
      'env.METRICS_PORT',
      '9100',
      'env.METRICS_PORT: reserved: the charts set this variable for every container; fix: remove it',
    ],
    [
      'env.SERVICE_VERSION',
      '1',
      'env.SERVICE_VERSION: reserved: the charts set this variable for every container; fix: remove it',
    ],
    [
      'env.POD_NAME',
      'x',
      'env.POD_NAME: reserved: the charts set this variable for every container; fix: remove it',
    ],
  ])('%s = %j', (path, value, message) => {
    expect(problemsWith(path, value)).toEqual([`apps/catalog/config.yml: ${message}`]);
  });
});
