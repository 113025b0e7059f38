import { getOption, hasOption } from '@bufbuild/protobuf';
import type { DescField, DescMessage, DescMethod, DescService } from '@bufbuild/protobuf';
import { http } from '../../../gen/google/api/annotations_pb.js';
import type { HttpRule } from '../../../gen/google/api/http_pb.js';
import { reservedPaths } from '../../config/reserved-paths.ts';
import { isTextual } from '../codec/fields.ts';
import { Router, anyMethod } from './router.ts';
import { parseTemplate } from './template.ts';
import type { Template } from './template.ts';
import { templateText } from './template-text.ts';

/** Where a request's body goes. */
export type Body =
  | { readonly kind: 'none' }
  /** The body is the request message itself. */
  | { readonly kind: 'message' }
  | { readonly kind: 'field'; readonly field: DescField };

/** One way of HTTP to one gRPC method. */
export interface Binding {
  readonly method: DescMethod;
  readonly httpMethod: string;
  readonly template: Template;
  /** The field of each of the template's variables, outermost first. */
  readonly variables: readonly (readonly DescField[])[];
  readonly body: Body;
  /** The field of the answer that is the response's body; all of the answer when undefined. */
  readonly responseBody: DescField | undefined;
}

/**
 * All google.api.http bindings of the given services, additional ones included.
 * Source: google/api/http.proto.
 * @throws Error naming the method whose binding is wrong
 */
export function bindingsOf(services: Iterable<DescService>): readonly Binding[] {
  return [...services].flatMap(({ methods }) =>
    methods
      .filter((method) => hasOption(method, http))
      .flatMap((method) => {
        const rule = getOption(method, http);
        return [rule, ...rule.additionalBindings].map((each) => naming(method, () => bind(method, each)));
      }),
  );
}

/**
 * Makes the router of bindings.
 * @throws Error naming the method whose binding is equal to another's, or takes a path that is the gateway's own
 */
export function routerOf(bindings: Iterable<Binding>): Router<Binding> {
  const router = new Router<Binding>();
  for (const binding of bindings) {
    naming(binding.method, () => {
      router.add(binding.httpMethod, binding.template, binding);
      const [taken] = reservedPaths.filter((path) => takes(binding, path));
      if (taken !== undefined) {
        const text = JSON.stringify(templateText(binding.template));
        throw new Error(
          `path template ${text}: takes ${taken}, which the gateway answers itself; begin it with a prefix such as /v1`,
        );
      }
    });
  }
  return router;
}

function takes({ template }: Binding, path: string): boolean {
  const router = new Router<true>();
  router.add(anyMethod, template, true);
  return router.find(anyMethod, path).kind === 'route';
}

function naming<T>({ parent, name }: DescMethod, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(`${parent.typeName}/${name}: ${what}`);
  }
}

function bind(method: DescMethod, rule: HttpRule): Binding {
  const { httpMethod, path } = patternOf(rule);
  const template = parseTemplate(path);
  const { input, output } = method;
  return {
    method,
    httpMethod,
    template,
    variables: template.variables.map(({ fieldPath }) => variableField(input, fieldPath)),
    body: bodyOf(input, rule.body),
    responseBody: rule.responseBody === '' ? undefined : fieldOf(output, rule.responseBody),
  };
}

function patternOf({ pattern }: HttpRule): { httpMethod: string; path: string } {
  switch (pattern.case) {
    case undefined:
      throw new Error('the google.api.http option has no pattern');
    case 'custom':
      return { httpMethod: pattern.value.kind, path: pattern.value.path };
    default:
      return { httpMethod: pattern.case.toUpperCase(), path: pattern.value };
  }
}

function bodyOf(input: DescMessage, body: string): Body {
  if (body === '') return { kind: 'none' };
  return body === '*' ? { kind: 'message' } : { kind: 'field', field: fieldOf(input, body) };
}

function variableField(input: DescMessage, names: readonly string[]): DescField[] {
  const fields: DescField[] = [];
  let message: DescMessage | undefined = input;
  for (const name of names) {
    if (message === undefined)
      throw new Error(`variable ${names.join('.')}: ${fields.at(-1)?.name ?? ''} is no message`);
    const field = fieldOf(message, name);
    fields.push(field);
    message = field.fieldKind === 'message' ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last === undefined || last.fieldKind === 'list' || !isTextual(last)) {
    throw new Error(`variable ${names.join('.')}: a path cannot hold a field of this kind`);
  }
  return fields;
}

function fieldOf(message: DescMessage, name: string): DescField {
  const field = message.fields.find((each) => each.name === name);
  if (field === undefined) throw new Error(`${message.typeName} has no field ${JSON.stringify(name)}`);
  return field;
}
