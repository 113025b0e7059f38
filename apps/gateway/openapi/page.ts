import { createHash } from 'node:crypto';
import { curlOf, exampleOf, parametersOf } from './example.ts';
import { Html, markup, prose } from './html.ts';
import { schemaHtml } from './schema-html.ts';
import type { MediaType, OpenApi, Operation, Schema } from './types.ts';

const style = `
:root{color-scheme:light dark;--line:#8884}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code,pre,summary{font-family:ui-monospace,monospace;font-size:.9rem}
code,a{overflow-wrap:anywhere}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--line);border-radius:.3rem}
p{white-space:pre-line}
details{border:1px solid var(--line);border-radius:.3rem;padding:.5rem .75rem;margin:.5rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
summary span{font-family:system-ui,sans-serif;display:block;opacity:.8}
table{border-collapse:collapse;display:block;overflow-x:auto}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line)}
td p{margin:0}
:target{outline:2px solid}
`;

/** Nothing is loaded from anywhere, and no script runs. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A page for people of an OpenAPI document: everything in one file. */
export function pageOf(document: OpenApi): string {
  const { info, tags, components } = document;
  const operations = operationsOf(document);
  const sections = tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    const parts = own.map((each) => operationHtml(each, document));
    return markup`<section><h2 id="${name}">${name}</h2>${prose(description)}${parts}</section>\n`;
  });
  const schemas = Object.entries(components.schemas).map(([name, schema]) => namedSchema(name, schema));
  const links = [...tags.map(({ name }) => name), 'schemas'].map(
    (name) => markup`<li><a href="#${name}">${name}</a></li>`,
  );
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${info.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${new Html(style)}</style></head>
<body><header><h1>${info.title}</h1>${prose(info.description)}
<p>Version ${info.version}, as an <a href="/openapi.json">OpenAPI document</a>. <code>$GATEWAY</code> in the examples is the base URL, such as <code>http://localhost:8080</code>.</p></header>
<nav><ul>${links}</ul></nav>
<main>${sections}<section><h2 id="schemas">Schemas</h2>${schemas}</section></main></body></html>
`;
  return page.text;
}

interface Place {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

function operationsOf({ paths }: OpenApi): Place[] {
  return Object.entries(paths).flatMap(([path, { 'x-additionalOperations': others, ...item }]) =>
    [...Object.entries(item), ...Object.entries(others ?? {})].map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

function operationHtml({ method, path, operation }: Place, document: OpenApi): Html {
  const { operationId, summary, description, deprecated, requestBody, responses } = operation;
  const rows = parametersOf(operation, document).map((each) => {
    const place = `${each.in}${each.required === true ? ', required' : ''}`;
    return row(each.name, place, each.schema, each.description);
  });
  const { content } = responses['200'] as { readonly content: Readonly<Record<string, MediaType>> };
  const body =
    requestBody === undefined
      ? []
      : [markup`<h4>Body</h4>`, prose(requestBody.description), bodies(requestBody.content, document)];
  const mark = deprecated === true ? markup` <em>deprecated</em>` : '';
  return markup`<details id="${operationId}">
<summary><b>${method}</b> <code>${path}</code>${mark}<span>${summary}</span></summary>
${prose(description)}${table(['Parameter', 'In', 'Schema', 'Meaning'], rows)}${body}
<h4>Answer</h4>${bodies(content, document)}<p>Errors are <a href="#google.rpc.Status">google.rpc.Status</a>.</p>
<h4>Example</h4><pre>${curlOf(method, path, operation, document)}</pre></details>\n`;
}

function bodies(content: Readonly<Record<string, MediaType>>, document: OpenApi): Html[] {
  return Object.entries(content).map(([type, { schema }]) => {
    const { description } = schema;
    const events = type === 'text/event-stream';
    const sample = events ? undefined : JSON.stringify(exampleOf(schema, document) ?? {}, undefined, 2);
    const members = membersHtml(schema);
    const shown = members === undefined ? schemaHtml(schema) : 'an object';
    return markup`<p><code>${type}</code>: ${shown}</p>${prose(textOf(description))}${members ?? ''}${
      sample === undefined ? '' : markup`<pre>${sample}</pre>`
    }`;
  });
}

function namedSchema(name: string, schema: Schema): Html {
  const content = membersHtml(schema) ?? markup`<p>${schemaHtml(schema)}</p>`;
  const about = prose(textOf(schema['description']));
  return markup`<section><h3 id="${name}">${name}</h3>${about}${content}</section>\n`;
}

/** A table of an object's members, and which of them exclude one another; undefined where none are declared. */
function membersHtml(schema: Schema): Html | undefined {
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>);
  if (properties.length === 0) return undefined;
  const required = (schema['required'] ?? []) as readonly string[];
  const rows = properties.map(([property, each]) =>
    row(property, required.includes(property) ? 'required' : '', each, each['description']),
  );
  return markup`${table(['Field', '', 'Schema', 'Meaning'], rows)}${choices(schema)}`;
}

function choices({ allOf }: Schema): Html[] {
  return ((allOf ?? []) as readonly Schema[]).map(({ oneOf }) => {
    const members = (oneOf as readonly Schema[]).flatMap(
      ({ required }) => (required ?? []) as readonly string[],
    );
    const optional = (oneOf as readonly Schema[]).some((each) => 'not' in each);
    return markup`<p>${optional ? 'At most' : 'Exactly'} one of ${members.join(', ')}.</p>`;
  });
}

function table(heads: readonly string[], rows: readonly Html[]): Html {
  return markup`<table><thead><tr>${heads.map((head) => markup`<th>${head}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table>`;
}

function row(name: string, place: string, schema: Schema, description: unknown): Html {
  const called = schema['deprecated'] === true ? markup`<s>${name}</s>` : name;
  const cells = [markup`<code>${called}</code>`, place, schemaHtml(schema), prose(textOf(description))];
  return markup`<tr>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>\n`;
}

function textOf(description: unknown): string | undefined {
  return typeof description === 'string' ? description : undefined;
}
