import { mkdtempSync, writeFileSync } from 'node:fs';
import dns from 'node:dns';
import { createServer } from 'node:https';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { openClients } from '../kube/connection.ts';
import type { KubeClient } from '../kube/kube-client.ts';
import type { KubeObject } from '../kube/kube-object.ts';
import { discovery, groups, kinds, plural, prefix } from './api-kinds.ts';
import { makeCertificate } from './certificates.ts';
import { serveExec } from './exec-server.ts';
import { appliedBy, merged, takenFrom, withEntry } from './managed-fields.ts';
import type { RunInPod } from './exec-server.ts';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** An answer instead of the store's own: a status and a message, as admission or an overloaded server gives it. */
export type Intervention = (
  request: SeenRequest,
) => { readonly status: number; readonly body: unknown } | undefined;

/** A name that is this machine only to these tests: a loopback address is refused for another cluster's use. */
const host = 'kube-api.test';
const lookup = dns.lookup;
dns.lookup = ((name: string, ...rest: Parameters<typeof lookup> extends [string, ...infer R] ? R : never) => {
  lookup(name === host ? '127.0.0.1' : name, ...rest);
}) as typeof lookup;

/**
 * The part of the Kubernetes API that the driver uses, over real TLS and a store in memory: discovery, reading, listing by
 * label and field, server-side apply as whole replacement, deletion. What real servers do beyond that (merging by owner,
 * defaulting, admission) is proved against real ones in the lab.
 */
export class KubeApi {
  readonly objects = new Map<string, Record<string, unknown>>();
  readonly requests: SeenRequest[] = [];
  readonly client: KubeClient;
  readonly kubeconfig: string;
  intervene: Intervention = () => undefined;
  /** What it serves: definitions of custom resources may add to it. */
  kinds = kinds;
  /** What it says it is. */
  version = 'v1.36.3';
  /** Whether the credentials may do something, to what is named so there; `*` on `*` asks for everything. */
  allows: (
    verb: string,
    resource: string,
    where: { readonly name?: string; readonly namespace?: string },
  ) => boolean = () => true;
  /** What admission makes of an object that is created. */
  admit: (object: KubeObject) => KubeObject = (object) => object;
  /** What programs in pods do. */
  run: RunInPod = () => undefined;
  readonly #server: Server;
  #version = 0;

  private constructor(cluster: string, server: Server, ca: string) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    this.kubeconfig = join(mkdtempSync(join(tmpdir(), 'kube-api-')), 'kubeconfig');
    writeFileSync(
      this.kubeconfig,
      stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [
          {
            name: cluster,
            cluster: {
              server: `https://${host}:${port}`,
              'certificate-authority-data': Buffer.from(ca).toString('base64'),
            },
          },
        ],
        users: [{ name: 'admin', user: { token: 'admin-token' } }],
        contexts: [{ name: cluster, context: { cluster, user: 'admin' } }],
      }),
    );
    const client = openClients([cluster], { [cluster]: { kubeconfig: this.kubeconfig, context: cluster } })[
      cluster
    ];
    if (client === undefined) throw new Error('no client');
    this.client = client;
  }

  static async start(cluster: string): Promise<KubeApi> {
    const { certificate, key } = await makeCertificate({ name: 'kube-api', pathLength: 0, host });
    const server = createServer({ cert: certificate, key });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const api = new KubeApi(cluster, server, certificate);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void read(request).then((body) => {
        const url = new URL(request.url ?? '/', 'https://kube-api');
        const answer = api.answer({
          method: request.method ?? '',
          path: url.pathname,
          query: Object.fromEntries(url.searchParams),
          authorization: request.headers.authorization,
          body,
        });
        response
          .writeHead(answer.status, { 'content-type': 'application/json' })
          .end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
      });
    });
    serveExec(server, (pod, command) => api.run(pod, command));
    return api;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Stores an object as a controller would leave it. */
  put(
    object: Record<string, unknown> & { apiVersion: string; kind: string; metadata: Record<string, unknown> },
  ): void {
    const metadata = {
      uid: `uid-${++this.#version}`,
      ...object.metadata,
      resourceVersion: String(++this.#version),
    };
    this.objects.set(this.#path(object as unknown as KubeObject), { ...object, metadata });
  }

  get(object: KubeObject): Record<string, unknown> | undefined {
    return this.objects.get(this.#path(object));
  }

  #path({ apiVersion, kind, metadata }: KubeObject): string {
    const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
    return `${prefix(apiVersion)}${scope}/${plural(kind)}/${metadata.name}`;
  }

  answer(seen: SeenRequest): { status: number; body: unknown } {
    this.requests.push(seen);
    if (seen.path.endsWith('/selfsubjectaccessreviews')) return this.#review(seen);
    const intervention = this.intervene(seen);
    if (intervention !== undefined) return intervention;
    if (seen.path.endsWith('/subjectaccessreviews')) return this.#review(seen);
    if (seen.path === '/version') return { status: 200, body: { gitVersion: this.version } };
    if (seen.path === '/readyz') return { status: 200, body: {} };
    if (seen.path === '/apis') return { status: 200, body: { groups: groups(this.kinds) } };
    const discovered = discovery(this.kinds, seen.path);
    if (discovered !== undefined) return { status: 200, body: { resources: discovered } };
    const live = this.objects.get(seen.path);
    const collection = this.#list(seen);
    switch (seen.method) {
      case 'GET':
        if (live !== undefined) return { status: 200, body: live };
        return collection === undefined ? notFound(seen.path) : { status: 200, body: { items: collection } };
      case 'PATCH':
        return this.#apply(seen, live);
      case 'POST':
        return { status: 201, body: this.admit(seen.body as KubeObject) };
      case 'DELETE':
        if (isAnother(seen.body, live))
          return { status: 409, body: { message: `${seen.path}: the UID in the precondition is another` } };
        this.objects.delete(seen.path);
        this.#collect(live);
        return live === undefined ? notFound(seen.path) : { status: 200, body: live };
      default:
        return { status: 405, body: { message: 'method not allowed' } };
    }
  }

  #review({ body }: SeenRequest): { status: number; body: unknown } {
    const { spec } = body as { readonly spec: Record<string, Record<string, string> | undefined> };
    const { resourceAttributes = {}, nonResourceAttributes } = spec;
    const { verb = '', group, resource = '', subresource } = resourceAttributes;
    const name = [resource, ...(subresource === undefined ? [] : [subresource])].join('/');
    const allowed =
      nonResourceAttributes === undefined
        ? this.allows(verb, group ? `${name}.${group}` : name, resourceAttributes)
        : this.allows(nonResourceAttributes['verb'] ?? '', nonResourceAttributes['path'] ?? '', {});
    return { status: 201, body: { status: { allowed } } };
  }

  /** What an object owned goes with it. */
  #collect(owner: Record<string, unknown> | undefined): void {
    const { uid } = (owner?.['metadata'] ?? {}) as { uid?: string };
    for (const [path, { metadata }] of this.objects) {
      const { ownerReferences = [] } = metadata as { ownerReferences?: readonly { uid?: string }[] };
      if (ownerReferences.some((reference) => reference.uid !== undefined && reference.uid === uid))
        this.objects.delete(path);
    }
  }

  #apply(seen: SeenRequest, live: Record<string, unknown> | undefined): { status: number; body: unknown } {
    const wanted = merged(seen.query['fieldManager'], seen.body as Record<string, unknown>, live);
    const { uid, resourceVersion, managedFields, ...metadata } = (live?.['metadata'] ?? {}) as Record<
      string,
      unknown
    >;
    const ours = appliedBy(seen.query['fieldManager'], seen.body as Record<string, unknown>);
    const same = live !== undefined && isDeepStrictEqual({ ...live, metadata }, { ...live, ...wanted });
    if (same) return { status: 200, body: live };
    const version = String(++this.#version);
    const stamped = {
      ...(wanted['metadata'] as object),
      uid: uid ?? `uid-${version}`,
      resourceVersion: version,
      managedFields: withEntry(takenFrom(managedFields, wanted, live), ours),
    };
    const stored = { ...live, ...wanted, metadata: stamped };
    if (seen.query['dryRun'] !== undefined) return { status: 200, body: stored };
    this.objects.set(seen.path, stored);
    return { status: resourceVersion === undefined ? 201 : 200, body: stored };
  }

  #list({ path, query }: SeenRequest): readonly unknown[] | undefined {
    const match = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?\/([a-z]+)$/.exec(path);
    if (match === null) return undefined;
    const [, base = '', namespace, name = ''] = match;
    return [...this.objects.entries()].flatMap(([key, object]) => {
      if (!key.startsWith(`${base}/`) || key.split('/').at(-2) !== name) return [];
      if (namespace !== undefined && !key.startsWith(`${base}/namespaces/${namespace}/`)) return [];
      return selected(object, query) ? [object] : [];
    });
  }
}

function selected(object: Record<string, unknown>, query: Readonly<Record<string, string>>): boolean {
  const {
    labels = {},
    name,
    uid,
  } = object['metadata'] as { labels?: Record<string, string>; name: string; uid: string };
  const fields: Record<string, unknown> = {
    'metadata.name': name,
    'metadata.uid': uid,
    type: object['type'],
    reason: object['reason'],
  };
  fields['involvedObject.uid'] = (object['involvedObject'] as { uid?: string } | undefined)?.uid;
  const all = (selector: string | undefined, values: Record<string, unknown>) =>
    (selector ?? '').split(',').every((part) => {
      const [key = '', value] = part.split('=');
      // A key alone asks for it to be there.
      return part === '' || (value === undefined ? values[key] !== undefined : values[key] === value);
    });
  return all(query['labelSelector'], labels) && all(query['fieldSelector'], fields);
}

/** Whether a deletion is meant for another object than the one of its name. */
function isAnother(options: unknown, live: Record<string, unknown> | undefined): boolean {
  const { preconditions } = (options ?? {}) as { readonly preconditions?: { readonly uid: string } };
  const { uid } = (live?.['metadata'] ?? {}) as { readonly uid?: string };
  return live !== undefined && preconditions !== undefined && preconditions.uid !== uid;
}

function notFound(path: string): { status: number; body: unknown } {
  return { status: 404, body: { message: `${path} not found` } };
}

async function read(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  return body === '' ? undefined : JSON.parse(body);
}
