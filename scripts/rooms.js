// The rooms, and which rooms each may import besides itself (docs/adr/0028). ESLint holds every import to it, and a
// test holds this list to having no circle.
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const constructs = (...names) => names.map((name) => `charts/constructs/${name}`);
const infra = (...names) => names.map((name) => `infra/${name}`);
const below = ['charts/model', 'apps/config', 'core', 'gen', 'http-rule'];
/** What every construct may use, and what declares the callers of others. */
const floor = [...constructs('workload', 'traffic', 'access', 'telemetry', 'http', 'scope'), ...below];

/** @type {Readonly<Record<string, readonly string[]>>} */
export const mayImport = {
  core: [],
  'http-rule': ['gen'],
  'apps/config': ['core', 'gen'],
  'apps/runtime': ['gen'],
  'apps/gateway/transport': ['apps/runtime', 'gen'],
  'apps/gateway/codec': ['apps/runtime', 'http-rule', 'gen'],
  'apps/gateway/binding': ['apps/gateway/codec', 'http-rule', 'apps/runtime', 'apps/config', 'gen'],
  'apps/gateway/exchange': [
    ...['binding', 'codec', 'transport'].map((name) => `apps/gateway/${name}`),
    ...['http-rule', 'apps/runtime', 'gen'],
  ],
  'apps/gateway/openapi': [
    ...['exchange', 'binding', 'codec'].map((name) => `apps/gateway/${name}`),
    ...['http-rule', 'gen'],
  ],
  'apps/gateway': ['apps/runtime', 'apps/config', 'http-rule', 'gen'],
  // What tests of services share.
  'apps/testing': ['apps', 'http-rule', 'gen'],
  // The sample's services.
  apps: ['apps/runtime', 'gen'],
  toolchain: ['core'],
  packaging: ['images', 'core'],
  images: ['toolchain', 'apps/config', 'core'],
  'charts/model': ['core'],
  'charts/gates': ['charts/model', 'core'],
  'charts/constructs/scope': below,
  'charts/constructs/http': [...constructs('scope'), ...below],
  'charts/constructs/telemetry': [...constructs('scope'), ...below],
  'charts/constructs/access': [...constructs('http', 'scope'), ...below],
  'charts/constructs/traffic': [...constructs('access', 'http', 'scope'), ...below],
  'charts/constructs/workload': ['charts/gates', ...floor],
  'charts/constructs/rate-limits': floor,
  'charts/constructs/existing': floor,
  'charts/constructs/tcp': floor,
  'charts/constructs/web': floor,
  'charts/constructs/edge': [...constructs('rate-limits', 'existing', 'web'), ...floor],
  'charts/constructs/gateways': [...constructs('edge'), ...floor],
  'charts/constructs/control-plane': [...constructs('gateways'), ...floor],
  'charts/constructs': ['charts/constructs', 'images', ...below],
  'charts/monitoring': ['charts', 'core'],
  charts: ['charts', 'http-rule', 'apps/config', 'images', 'core', 'gen'],
  'mesh.ts': ['charts', 'gen'],
  'infra/kube': ['charts/model', 'charts/constructs/scope', 'core'],
  'infra/plan': ['charts', ...infra('kube'), 'core'],
  'infra/reach': ['charts', ...infra('plan', 'kube'), 'core'],
  'infra/remote': ['charts', ...infra('plan', 'kube'), 'core'],
  'infra/trust': ['charts', ...infra('plan', 'kube'), 'core'],
  'infra/policy': ['charts', ...infra('kube'), 'core'],
  'infra/export': ['charts', ...infra('trust', 'remote', 'plan', 'kube'), 'core'],
  'infra/status': ['charts', ...infra('existing', 'trust', 'remote', 'reach', 'plan', 'kube'), 'core'],
  'infra/existing': ['charts', ...infra('trust', 'remote', 'reach', 'plan', 'kube'), 'core'],
  'infra/preflight': ['charts', ...infra('existing', 'trust', 'plan', 'kube'), 'core'],
  'infra/apply': ['charts', ...infra('preflight', 'trust', 'remote', 'reach', 'plan', 'kube'), 'core'],
  'infra/pulumi': [
    'charts',
    ...infra('apply', 'preflight', 'trust', 'remote', 'reach', 'plan', 'kube'),
    'core',
  ],
  infra: ['infra', 'charts', 'core'],
  scaffold: ['core'],
  lab: ['core'],
  'cli/workspace': ['charts', 'infra', 'toolchain', 'core'],
  'cli/output': ['cli/workspace', 'charts', 'infra', 'core'],
  'cli/proofs': ['charts', 'infra', 'core'],
  // Loaded when no contexts are given, and by nothing that a real cluster needs.
  'cli/lab': [
    'lab',
    'cli/output',
    'cli/workspace',
    ...['images', 'toolchain', 'charts', 'apps/config', 'core'],
  ],
  cli: ['cli', 'infra', 'charts', 'scaffold', 'images', 'toolchain', 'apps/config', 'core'],
  bench: ['bench', 'test', 'apps', 'charts', 'images', 'toolchain', 'core', 'gen', 'http-rule'],
};

const rooms = Object.keys(mayImport).sort((a, b) => b.length - a.length);

/** The room that a path of the project lies in, the innermost one; undefined for a file of none. */
export function roomOf(path) {
  return rooms.find((room) => path === room || path.startsWith(`${room}/`)) ?? /^gen(?=\/)/.exec(path)?.[0];
}

/**
 * Whether a file may import another; paths relative to the project. A test may use what its whole top-level room may,
 * and every `testing/`.
 */
export function isAllowed(from, to) {
  if (from.startsWith('test/')) return true;
  const isTest = /\.test(-d)?\.ts$|\/testing\//.test(from);
  if (isTest && /\/testing\//.test(to)) return true;
  const room = roomOf(from);
  if (room === undefined) return true;
  const target = roomOf(to) ?? to;
  const within = (names) => names.some((name) => target === name || target.startsWith(`${name}/`));
  // A room may use what lies in it, in rooms below its own folder too.
  if (within([room, ...(mayImport[room] ?? [])])) return true;
  if (!isTest) return false;
  const [top = room] = room.split('/');
  return within([top, ...(mayImport[top] ?? [])]);
}

/** An ESLint rule: a relative import that leaves its room for one it may not know. @type {import('eslint').Rule.RuleModule} */
export const oneWay = {
  meta: { type: 'problem', schema: [] },
  create(context) {
    const from = relative(root, context.filename);
    const check = (node) => {
      const name = node.source?.value;
      if (typeof name !== 'string' || !name.startsWith('.')) return;
      const to = relative(root, join(dirname(context.filename), name));
      if (isAllowed(from, to)) return;
      const room = roomOf(from) ?? from;
      context.report({
        node,
        message: `${room} may import ${[room, ...(mayImport[room] ?? [])].join(', ')} only: imports point one way (docs/adr/0028)`,
      });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};
