import { expect } from '@jest/globals';
import { ProblemsError } from '../../../core/problem.ts';
import { parseAppConfig } from '../app-config.ts';

/** A config.yml with every key, as its YAML reads. */
export const good = {
  name: 'catalog',
  services: ['test.catalog.v1.CatalogService'],
  ports: { grpc: 50051, http: 8080 },
  image: {
    version: '1.4.0',
    title: 'shop catalog',
    description: 'Products and prices',
    nodeOptions: ['--max-semi-space-size=4', '--enable-source-maps'],
  },
  resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { cpu: '1', memory: '256Mi' } },
  replicas: 2,
  autoscaling: { maxReplicas: 10, cpuPercent: 60 },
  shutdown: { drainSeconds: 40, graceSeconds: 60 },
  env: {
    GREETING: 'hello',
    TOKEN: { secret: 'payments.tokens', key: 'api_token' },
    MODE: { configMap: 'settings', key: 'mode.txt' },
  },
  httpGateway: true,
};

/** The lines of the problems that an action is refused with; none when it is not. */
export function problemsOf(action: () => unknown): string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ProblemsError) {
      expect(error.exitCode).toBe(2);
      return error.message.split('\n');
    }
    throw error;
  }
  return [];
}

/** What is said of the good config with one key replaced, or removed by undefined. */
export function problemsWith(path: string, value: unknown): string[] {
  return problemsOf(() => parseAppConfig('apps/catalog', withKey(path, value)));
}

function withKey(path: string, value: unknown): unknown {
  const copy = structuredClone(good) as unknown;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const parent = keys.reduce((found, key) => (found as Record<string, unknown>)[key], copy) as Record<
    string,
    unknown
  >;
  if (value === undefined) Reflect.deleteProperty(parent, last);
  else parent[last] = value;
  return copy;
}
