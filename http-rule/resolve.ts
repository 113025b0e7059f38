import type { DescField, DescMessage, DescMethod } from '@bufbuild/protobuf';
import type { Binding, Body } from './binding.ts';
import { equalProblems, reservedProblems } from './clashes.ts';
import { readRules } from './pattern.ts';
import type { Pattern, ReadRule } from './pattern.ts';
import type { RuleProblem } from './problem.ts';
import { boundFields, boundIn, boundSibling, isBound } from './bound.ts';
import { delimitedFields, isPathField } from './fields.ts';

/** The google.api.http options of methods, read and checked. */
export interface ResolvedRules {
  /** Additional bindings included, without those that are wrong. */
  readonly bindings: readonly Binding[];
  /** Everything that is wrong. */
  readonly problems: readonly RuleProblem[];
}

/**
 * Reads the google.api.http options of all methods that one gateway serves, and finds everything that keeps it from
 * serving them.
 * @param reservedPaths - what the gateway answers itself, whatever the HTTP method, such as `/healthz`; none has a colon
 */
export function resolveRules(methods: Iterable<DescMethod>, reservedPaths: readonly string[]): ResolvedRules {
  const bindings: Binding[] = [];
  const patterns: Pattern[] = [];
  const problems: RuleProblem[] = [];
  // Methods share messages: each field is told once.
  const delimited = new Set<DescField>();
  for (const method of methods) {
    const rules = readRules(method);
    for (const rule of rules) {
      const found = [...rule.problems];
      const binding = bind(method, rule, (problem) => found.push(problem));
      if (rule.pattern !== undefined) patterns.push(rule.pattern);
      if (binding !== undefined && found.length === 0) bindings.push(binding);
      problems.push(...found);
    }
    if (rules.length === 0) continue;
    for (const field of delimitedFields([method.input, method.output])) {
      if (!delimited.has(field)) problems.push(delimitedProblem(method, field));
      delimited.add(field);
    }
  }
  problems.push(...reservedProblems(patterns, reservedPaths), ...equalProblems(patterns));
  return { bindings, problems };
}

type Report = (problem: RuleProblem) => unknown;

/** Finds the fields that a rule names; with one that is missing, what is made counts for nothing. */
function bind(method: DescMethod, { rule, name, pattern }: ReadRule, report: Report): Binding | undefined {
  const { input, output } = method;
  const template = pattern?.source;
  const named = (
    member: string,
    message: DescMessage,
    field: string,
    more: string,
  ): DescField | undefined => {
    const found = fieldOf(message, field);
    if (found === undefined) {
      const what = `${member} of ${name}: ${message.typeName} has no field ${JSON.stringify(field)}`;
      const allowed = `${more}${namesOf(message.fields)}`;
      report({ method, template, what, received: field, allowed });
    }
    return found;
  };
  const bodyOf = (): Body => {
    if (rule.body === '') return { kind: 'none' };
    if (rule.body === '*') return { kind: 'message' };
    const field = named('body', input, rule.body, '*, or ');
    return field === undefined ? { kind: 'none' } : { kind: 'field', field };
  };
  const body = bodyOf();
  const responseBody =
    rule.responseBody === '' ? undefined : named('response_body', output, rule.responseBody, '');
  if (pattern === undefined) return undefined;
  const variables = pattern.template.variables.map(({ fieldPath }) =>
    variableFields(pattern, fieldPath, report),
  );
  for (const problem of conflicts(pattern, variables, body)) report(problem);
  return { ...pattern, variables, body, responseBody };
}

function variableFields({ method, source }: Pattern, names: readonly string[], report: Report): DescField[] {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = method.input;
  const wrong = (what: string, allowed?: string) => {
    const all = `variable ${names.join('.')}: ${what}`;
    report({
      method,
      template: source,
      what: all,
      received: source,
      ...(allowed === undefined ? {} : { allowed }),
    });
    return fields;
  };
  for (const name of names) {
    if (message === undefined) {
      const above = fields.at(-1);
      const kind =
        above?.fieldKind === 'list' || above?.fieldKind === 'map' ? 'is repeated' : 'is not a message';
      return wrong(`${above?.name ?? ''} ${kind}, so it has no field ${JSON.stringify(name)}`);
    }
    const field = fieldOf(message, name);
    if (field === undefined) {
      return wrong(`${message.typeName} has no field ${JSON.stringify(name)}`, namesOf(message.fields));
    }
    fields.push(field);
    message = field.fieldKind === 'message' ? field.message : undefined;
  }
  const last = fields.at(-1);
  return last !== undefined && isPathField(last)
    ? fields
    : wrong(
        'a path cannot hold a field of this kind',
        'a scalar, an enum, a wrapper, Timestamp, Duration or FieldMask, not repeated',
      );
}

/** What no request could give without one of two values being lost. */
function conflicts(
  { method, source }: Pattern,
  variables: readonly DescField[][],
  body: Body,
): RuleProblem[] {
  const problem = (what: string, fix: string) => ({ method, template: source, what, received: source, fix });
  const nameOf = (fields: readonly DescField[]) => fields.map(({ name }) => name).join('.');
  const twice = variables.flatMap((fields, index) => {
    const bound = boundFields(variables.slice(0, index));
    const [sibling] = fields.flatMap((field, depth) => {
      const found = boundSibling(field, boundIn(bound, fields.slice(0, depth)));
      return found === undefined ? [] : [nameOf([...fields.slice(0, depth), found])];
    });
    if (sibling === undefined) return [];
    const what = `variable ${nameOf(fields)}: ${sibling} of the same oneof is also in the path`;
    return [problem(what, 'remove one of them from the path')];
  });
  if (body.kind !== 'field' || !isBound(body.field, boundFields(variables))) return twice;
  const what = `body ${body.field.name}: the field is also in the path`;
  return [...twice, problem(what, 'remove it from the path, or name another field for the body')];
}

/** Rules name fields as the proto does. */
function fieldOf(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((each) => each.name === name);
}

function namesOf(fields: readonly DescField[]): string {
  return fields.length === 0 ? 'none: the message has no fields' : fields.map(({ name }) => name).join(', ');
}

/** A field in delimited encoding, wherever it is in a message, has no form that the gateway reads or writes. */
function delimitedProblem(method: DescMethod, { parent, name }: DescField): RuleProblem {
  const what = 'the gateway does not support fields in delimited encoding (groups)';
  const received = `${parent.typeName}.${name}`;
  return { method, template: undefined, what, received, fix: 'use length-prefixed encoding' };
}
