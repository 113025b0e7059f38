import { keysOf } from '../../../core/keys.ts';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { isMethod } from '../access/authorization.ts';
import { UnknownMethod, type Method } from '../scope/method.ts';
import { actionKeys, isBase, matchKey } from './effective.ts';
import type { Findings, Mapping } from './findings.ts';
import { metadataProblems } from './metadata-problems.ts';
import { grpcStatusNames, retriableStatuses } from './props.ts';
import type { Fault, Metadata, Mirror, Retries, TrafficRule } from './props.ts';

/** What the rules look at. */
export interface Ruled {
  /** Path of the service's construct. */
  readonly service: string;
  readonly methods: readonly Method[];
  readonly versions: readonly string[];
  /** Versions with a pod somewhere. */
  readonly running: readonly string[];
  /** Whether the policy has weights. */
  readonly weighted: boolean;
  /** The version that gets all calls no rule picks out, if one does. */
  readonly only: string | undefined;
}

const ruleKeys = keysOf<TrafficRule<string, string>>({
  method: true,
  metadata: true,
  timeoutMs: true,
  retries: true,
  to: true,
  fault: true,
  mirror: true,
});
const retryKeys = keysOf<Retries>({ attempts: true, on: true, perTryTimeoutMs: true });
const mirrorKeys = keysOf<Mirror<string>>({ to: true, percent: true });
const faultKeys = keysOf<Fault>({ status: true, delayMs: true, percent: true });

/** Longest time-out, in milliseconds. */
export const anHour = 3_600_000;

/** Checks the rules one by one, and then that each of them can be reached. */
export function ruleProblems(findings: Findings, ruled: Ruled, value: unknown): void {
  const rules = findings
    .list('rules', value)
    .map((rule, index) => checked(findings, ruled, rule, `rules[${index}]`));
  limitProblems(findings, rules);
  const known = new Map<string, string>();
  rules.forEach((rule, index) => {
    if (rule === undefined) return;
    const path = `rules[${index}]`;
    const method = rule['method'] as Method | undefined;
    const name = method?.descriptor.name ?? '';
    const base = isBase(rule);
    // Rules for all calls of a method add up; of those with metadata only one can match.
    for (const key of base ? actionKeys.filter((one) => rule[one] !== undefined) : ['']) {
      const id = base ? `${name} ${key}` : `${name} ${matchKey(rule['metadata'] as Metadata)}`;
      const first = known.get(id);
      if (first === undefined) known.set(id, path);
      else if (base) {
        findings.add(`${path}.${key}`, { what: `is already set by ${first}`, fix: 'keep one' });
      } else {
        const what = `can never be reached: ${first} matches the same calls`;
        findings.add(path, { what, fix: 'merge the two' });
      }
    }
  });
}

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute-fault */
const faultWithRetries = {
  what: 'fault and retries exclude each other: Istio does not retry a call into which it injects a fault',
  fix: 'remove one of the two, or declare the fault in a rule with metadata, whose calls then have no retries',
};

/** Whether no later rule for all calls of the method says a fault or retries, so that a problem of both is told once. */
function isLast(rules: readonly (Mapping | undefined)[], index: number): boolean {
  const speaks = (rule: Mapping | undefined) =>
    rule?.['fault'] !== undefined || rule?.['retries'] !== undefined;
  const rivals = rules.filter(
    (rule) => rule?.['method'] === rules[index]?.['method'] && rule !== undefined && isBase(rule),
  );
  return rivals.findLast(speaks) === rules[index];
}

/** Limits of a route may come from two rules: what one with metadata does not say, it takes from those of its method. */
function limitProblems(findings: Findings, rules: readonly (Mapping | undefined)[]): void {
  rules.forEach((rule, index) => {
    if (rule?.['method'] === undefined) return;
    const bases = rules.filter((one) => one !== undefined && one['method'] === rule['method'] && isBase(one));
    const base = Object.assign({}, ...bases) as Mapping;
    const { timeoutMs, retries, fault } = { ...base, ...rule } as Mapping;
    const own = rule['retries'] !== undefined;
    // What a rule with metadata says of a fault takes the place of the method's retries (effective.ts).
    if (fault !== undefined && retries !== undefined && (isBase(rule) ? isLast(rules, index) : own)) {
      findings.add(`rules[${index}].${rule['fault'] === undefined ? 'retries' : 'fault'}`, faultWithRetries);
    }
    // Of two that add up, the one with the retries says so; of both in one rule it is said already.
    if (own === (rule['timeoutMs'] !== undefined)) return;
    if (!own && isBase(rule)) return;
    const limit = (retries as Mapping | null | undefined)?.['perTryTimeoutMs'];
    if (typeof limit !== 'number' || typeof timeoutMs !== 'number' || limit < timeoutMs) return;
    findings.add(
      `rules[${index}].${own ? 'retries.perTryTimeoutMs' : 'timeoutMs'}`,
      own
        ? {
            what: `it would never end an attempt, because another rule of the method ends the whole call after ${timeoutMs} ms`,
            received: limit,
            allowed: `less than ${timeoutMs}`,
          }
        : {
            what: `it would end the whole call before perTryTimeoutMs of another rule of the method, ${limit} ms, ends an attempt`,
            received: timeoutMs,
            allowed: `more than ${limit}`,
          },
    );
  });
}

/** A rule whose match is sound, with whatever may be wrong in what it does reported. */
function checked(findings: Findings, ruled: Ruled, value: unknown, path: string): Mapping | undefined {
  const before = findings.problems.length;
  const rule = findings.mapping(path, value, ruleKeys);
  if (rule === undefined) {
    if (value === undefined) findings.add(path, { what: 'is not a rule', received: value });
    return undefined;
  }
  const { method, metadata } = rule;
  const known = methodOf(findings, ruled, method, `${path}.method`);
  metadataProblems(findings, metadata, `${path}.metadata`);
  if (method === undefined && metadata === undefined) {
    findings.add(path, {
      what: 'does not say which calls it applies to',
      fix: 'add a method, metadata, or both',
    });
  }
  const matches = findings.problems.length === before;
  if (actionKeys.every((key) => rule[key] === undefined)) {
    findings.add(path, { what: 'has no effect', fix: `add one of ${actionKeys.join(', ')}` });
  }
  if (matches) kindProblems(findings, rule, known, path);
  findings.whole(`${path}.timeoutMs`, rule['timeoutMs'], 1, anHour);
  retryProblems(findings, rule, `${path}.retries`);
  versionProblem(findings, ruled, rule['to'], `${path}.to`);
  const mirror = findings.mapping(`${path}.mirror`, rule['mirror'], mirrorKeys);
  if (mirror !== undefined) {
    if (mirror['to'] === undefined) findings.add(`${path}.mirror.to`, { what: 'is missing' });
    versionProblem(findings, ruled, mirror['to'], `${path}.mirror.to`);
    if (mirror['percent'] !== undefined) findings.percent(`${path}.mirror.percent`, mirror['percent']);
    if (mirror['to'] !== undefined && mirror['to'] === (rule['to'] ?? ruled.only)) {
      findings.add(`${path}.mirror.to`, {
        what: 'is the version that the calls go to anyway',
        received: mirror['to'],
      });
    }
  }
  faultProblems(findings, rule['fault'], `${path}.fault`);
  return matches ? rule : undefined;
}

function methodOf(findings: Findings, ruled: Ruled, method: unknown, path: string): Method | undefined {
  if (method === undefined) return undefined;
  const known = ruled.methods.map(({ descriptor }) => descriptor.localName);
  if (method instanceof UnknownMethod && method.service === ruled.service) {
    findings.unknown(path, `${ruled.service} has no such method`, method.name, known);
  } else if (!isMethod(method)) {
    const received = method instanceof UnknownMethod ? method.name : method;
    findings.add(path, {
      what: 'is not a method of the service',
      received,
      allowed: `SERVICE.method.NAME, where NAME is one of ${known.join(', ')}`,
    });
  } else if (method.service.where !== ruled.service) {
    findings.add(path, {
      what: `is a method of another service, ${method.service.where}`,
      received: method.descriptor.localName,
      allowed: known.join(', '),
      fix: 'put the rule into a TrafficPolicy of that service',
    });
  } else return method;
  return undefined;
}

/** What the proto says a method is decides what may be done with its calls. */
function kindProblems(findings: Findings, rule: Mapping, method: Method | undefined, path: string): void {
  for (const key of ['timeoutMs', 'retries', 'mirror'] as const) {
    if (rule[key] === undefined) continue;
    if (method === undefined) {
      const what = "needs a method: whether it is safe depends on the method's proto";
      findings.add(`${path}.${key}`, { what, fix: 'add a method, or move it to a rule for one method' });
      continue;
    }
    const { name, idempotency } = method.descriptor;
    if (method.kind !== 'unary') {
      const kind = method.kind.replace('_', ' ').replace('bidi', 'bidirectional');
      const what = `${name} is ${kind}: only calls of unary methods have a timeout, retries or a mirror`;
      findings.add(`${path}.${key}`, { what, fix: 'remove it' });
    } else if (key === 'retries' && idempotency === Level.IDEMPOTENCY_UNKNOWN) {
      findings.add(`${path}.retries`, {
        what: `the proto does not say that ${name} may be repeated`,
        fix: `if it may, declare it there: option idempotency_level = IDEMPOTENT, or NO_SIDE_EFFECTS; otherwise remove the retries`,
      });
    } else if (key === 'mirror' && idempotency !== Level.NO_SIDE_EFFECTS) {
      findings.add(`${path}.mirror`, {
        what: `the proto does not say that ${name} has no side effects, which a mirrored call would have twice`,
        fix: 'if it has none, declare it there: option idempotency_level = NO_SIDE_EFFECTS; otherwise remove the mirror',
      });
    }
  }
}

/**
 * What is wrong with retries, and with the limit of an attempt beside that of the call; plain JavaScript may pass anything.
 * @param at - path of the retries
 */
export function retryProblems(findings: Findings, rule: Mapping, at: string): void {
  const retries = findings.mapping(at, rule['retries'], retryKeys);
  if (retries === undefined) return;
  const { attempts, on, perTryTimeoutMs } = retries;
  findings.whole(`${at}.attempts`, attempts ?? null, 1, 10);
  for (const status of findings.list(`${at}.on`, on)) {
    if (!retriableStatuses.some((known) => known === status)) {
      findings.unknown(`${at}.on`, 'is not a status that can be retried', status, retriableStatuses);
    }
  }
  if (Array.isArray(on) && on.length === 0) {
    findings.add(`${at}.on`, {
      what: 'is empty',
      received: [],
      fix: 'add a status, or leave it out to retry UNAVAILABLE',
    });
  }
  findings.whole(`${at}.perTryTimeoutMs`, perTryTimeoutMs, 1, anHour);
  const { timeoutMs } = rule;
  if (typeof perTryTimeoutMs === 'number' && typeof timeoutMs === 'number' && perTryTimeoutMs >= timeoutMs) {
    const what = `it would never end an attempt, because the whole call ends after ${timeoutMs} ms`;
    findings.add(`${at}.perTryTimeoutMs`, {
      what,
      received: perTryTimeoutMs,
      allowed: `less than ${timeoutMs}`,
    });
  }
}

function versionProblem(findings: Findings, ruled: Ruled, version: unknown, path: string): void {
  if (version === undefined) return;
  const { versions, running, weighted } = ruled;
  if (!versions.some((known) => known === version)) {
    findings.unknown(path, 'the service has no such version', version, versions);
  } else if (!running.some((known) => known === version)) {
    const what = 'the version runs nowhere, as it has 0 replicas';
    findings.add(path, { what, received: version, fix: 'give it replicas' });
  } else if (!weighted && versions.length > 1) {
    findings.add(path, {
      what: 'some calls go to one version, while all others are spread over the pods of every version',
      received: version,
      fix: `add weights for the others, such as { ${versions.map((name, index) => `${name}: ${index === 0 ? 100 : 0}`).join(', ')} }`,
    });
  }
}

function faultProblems(findings: Findings, fault: unknown, path: string): void {
  if (fault === undefined) return;
  const all = Array.isArray(fault) ? (fault as readonly unknown[]) : [fault];
  const kinds = all.map((one, index) => {
    const at = Array.isArray(fault) ? `${path}[${index}]` : path;
    const mapping = findings.mapping(at, one ?? null, faultKeys);
    if (mapping === undefined) return undefined;
    const { status, delayMs, percent } = mapping;
    findings.percent(`${at}.percent`, percent);
    if ((status === undefined) === (delayMs === undefined)) {
      const what = 'is not exactly one kind of fault';
      findings.add(at, {
        what,
        received: one,
        allowed: 'either a status or a delayMs; for both, a list of two faults',
      });
      return undefined;
    }
    findings.whole(`${at}.delayMs`, delayMs, 1, anHour);
    if (status !== undefined && !grpcStatusNames.some((known) => known === status)) {
      findings.unknown(`${at}.status`, 'is not a gRPC error status', status, grpcStatusNames);
    }
    return status === undefined ? 'delay' : 'status';
  });
  if (all.length === 0) findings.add(path, { what: 'is empty', received: [], fix: 'remove it' });
  if (kinds.some((kind, index) => kind !== undefined && kinds.indexOf(kind) !== index)) {
    findings.add(path, { what: 'has two faults of the same kind', received: fault, fix: 'keep one' });
  }
}
