import { re2Problem } from '../http/re2.ts';
import type { Findings } from './findings.ts';

/** Names of gRPC metadata (gRPC over HTTP/2, "Custom-Metadata"), without those HTTP/2 and gRPC keep for themselves. */
const namePattern = /^[0-9a-z_.-]{1,128}$/;
/** What each call says of itself, as Call-Definition of the same has it. A gateway tells by the former whether a request is a call. */
const ofCalls: readonly string[] = ['content-type', 'te'];
/** What values may hold, as ASCII-Value of the same. */
const valuePattern = /^[\x20-\x7e]+$/;
const kinds = ['exact', 'prefix', 'regex'] as const;

/** Checks what a rule's metadata has to match. */
export function metadataProblems(findings: Findings, metadata: unknown, path: string): void {
  if (metadata === undefined) return;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    const allowed = 'an object from metadata names to { exact }, { prefix } or { regex }';
    findings.add(path, { what: 'is not an object with metadata', received: metadata, allowed });
    return;
  }
  const entries = Object.entries(metadata);
  if (entries.length === 0) {
    findings.add(path, { what: 'is empty', received: {}, fix: 'add an entry, or leave it out' });
  }
  for (const [name, value] of entries) {
    nameProblem(findings, name, path);
    valueProblem(findings, value, `${path}.${name}`);
  }
}

function nameProblem(findings: Findings, name: string, path: string): void {
  const problem = { received: name };
  if (!namePattern.test(name)) {
    const lower = name.toLowerCase();
    findings.add(path, {
      ...problem,
      what: 'is not a name of metadata',
      allowed: '1 to 128 of a-z, 0-9, underscore, dot and hyphen',
      ...(namePattern.test(lower) ? { fix: `write ${lower}` } : {}),
    });
  } else if (name.endsWith('-bin')) {
    const what = 'is binary metadata, which is sent as base64 and cannot be matched';
    findings.add(path, {
      ...problem,
      what,
      fix: 'send what routes depend on as text, under a name that does not end in -bin',
    });
  } else if (ofCalls.includes(name)) {
    const what = 'is a header of every gRPC call, and no metadata: gateways go by it, too';
    findings.add(path, { ...problem, what, fix: 'use a name of your own' });
  } else if (name.startsWith('grpc-')) {
    const what = 'is reserved by gRPC';
    findings.add(path, { ...problem, what, fix: 'use a name of your own' });
  }
}

function valueProblem(findings: Findings, value: unknown, path: string): void {
  const match = findings.mapping(path, value ?? null, kinds);
  if (match === undefined) return;
  const given = kinds.filter((kind) => match[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    findings.add(path, {
      what: 'is not exactly one way to match',
      received: value,
      allowed: kinds.join(', '),
    });
    return;
  }
  const text = match[kind];
  if (typeof text !== 'string' || !valuePattern.test(text)) {
    const allowed = 'a string of printable ASCII characters, at least one';
    findings.add(`${path}.${kind}`, { what: 'is not a value of metadata', received: text, allowed });
  } else if (kind === 'regex') {
    const what = re2Problem(text);
    if (what !== undefined) findings.add(`${path}.regex`, { what, received: text });
  }
}
