import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescMethod } from '@bufbuild/protobuf';
import { http } from '../gen/google/api/annotations_pb.js';
import type { HttpRule } from '../gen/google/api/http_pb.js';
import type { RuleProblem } from './problem.ts';
import { TemplateError, parseTemplate } from './template.ts';
import type { Template } from './template.ts';

/** The HTTP method of a custom pattern that takes every method. */
export const anyMethod = '*';

/** Which requests a google.api.HttpRule takes: its `pattern`, read. */
export interface Pattern {
  readonly method: DescMethod;
  /** Such as `GET`, or {@link anyMethod}. */
  readonly httpMethod: string;
  /** The path template as it stands in the proto. */
  readonly source: string;
  readonly template: Template;
}

/** One HttpRule of a method: that of its option, or one of the additional bindings. */
export interface ReadRule {
  readonly rule: HttpRule;
  /** For people: `GET /v1/books/{id}`. */
  readonly name: string;
  /** Undefined when its template cannot be read. */
  readonly pattern: Pattern | undefined;
  /** What is wrong with the pattern; what the fields are that it names is not looked at here. */
  readonly problems: readonly RuleProblem[];
}

/** Whether the method has a google.api.http option, so that there is an HTTP path to it. */
export function hasHttpRule(method: DescMethod): boolean {
  return hasOption(method, http);
}

/** The patterns of a method's google.api.http option, additional bindings included, without those that are wrong. */
export function patternsOf(method: DescMethod): readonly Pattern[] {
  return readRules(method).flatMap(({ pattern, problems }) => (problems.length === 0 ? (pattern ?? []) : []));
}

/** For people: `GET /v1/books/{id}`. */
export function patternName({ httpMethod, source }: Pick<Pattern, 'httpMethod' | 'source'>): string {
  return `${httpMethod} ${source}`;
}

/**
 * Reads the google.api.http option of a method, additional bindings included.
 * Source: google/api/http.proto.
 */
export function readRules(method: DescMethod): readonly ReadRule[] {
  if (!hasHttpRule(method)) return [];
  const rule = getOption(method, http);
  return [
    readRule(method, rule, 'the google.api.http option'),
    ...rule.additionalBindings.map((additional, index) => {
      const place = `additional_bindings[${index}]`;
      const read = readRule(method, additional, place);
      if (additional.additionalBindings.length === 0) return read;
      const nested: RuleProblem = {
        method,
        template: read.pattern?.source,
        what: `${place} has additional_bindings of its own`,
        fix: 'list them in the additional_bindings of the option itself',
      };
      return { ...read, problems: [...read.problems, nested] };
    }),
  ];
}

/** @param place - of the rule, for people */
function readRule(method: DescMethod, rule: HttpRule, place: string): ReadRule {
  const { pattern } = rule;
  if (pattern.case === undefined) {
    const allowed = 'one of get, put, post, delete, patch and custom';
    const fix = 'add one, such as get: "/v1/books/{id}"';
    const problem = { method, template: undefined, what: `${place} has no pattern`, allowed, fix };
    return { rule, name: place, pattern: undefined, problems: [problem] };
  }
  const custom = pattern.case === 'custom';
  const httpMethod = custom ? pattern.value.kind : pattern.case.toUpperCase();
  const source = custom ? pattern.value.path : pattern.value;
  const problems = [...methodProblems(method, httpMethod, source)];
  let template: Template | undefined;
  try {
    template = parseTemplate(source);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { what, offset } = error;
    problems.push({
      method,
      template: source,
      offset,
      what: `path template: ${what} at offset ${offset}`,
      received: source,
      fix: 'see "Path template syntax" in google/api/http.proto',
    });
  }
  return {
    rule,
    name: patternName({ httpMethod, source }),
    pattern: template === undefined ? undefined : { method, httpMethod, source, template },
    problems,
  };
}

/** Source: RFC 9110, section 9.1: a method is a token. */
function methodProblems(method: DescMethod, httpMethod: string, template: string): RuleProblem[] {
  if (/^[\w!#$%&'*+.^`|~-]+$/.test(httpMethod)) return [];
  const what = 'custom.kind is not an HTTP method';
  const allowed = `a name such as REPORT, or ${anyMethod} for every method`;
  return [{ method, template, what, received: httpMethod, allowed, fix: 'correct it' }];
}
