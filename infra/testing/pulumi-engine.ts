import * as pulumi from '@pulumi/pulumi';

/** A resource as its registration is on the wire. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly parent: string;
  readonly provider: string;
  readonly custom: boolean;
  readonly protect: boolean;
  /** Whether it is only forgotten where it is no longer declared. */
  readonly retainOnDelete: boolean;
  /** URNs that it waits for. */
  readonly dependencies: readonly string[];
  /** By property, the URNs that its value comes from. */
  readonly propertyDependencies: Readonly<Record<string, readonly string[]>>;
  /** Whether it is also looked for without a parent. */
  readonly fromTheRoot: boolean;
  readonly ignoreChanges: readonly string[];
  /** Properties whose change takes a new object, the old one deleted before. */
  readonly replaceOnChanges: readonly string[];
  readonly secretOutputs: readonly string[];
  /** The properties on the wire: secrets are marked there. */
  readonly wire: Readonly<Record<string, unknown>>;
  /** The properties with their secrets opened. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** What the provider does with an object: returns its state. */
export type Provide = (
  cluster: string,
  inputs: Record<string, unknown>,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

export interface Run {
  /** In the order they were registered in. */
  readonly registered: readonly Registered[];
  /** What components said at their end, by URN. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

const secretMark = '4dabf18193072939515e22adb298388d';

/**
 * Runs a program with Pulumi's own mocks as engine, and records what the engine is told.
 * @param make - what a resource that is no object of Kubernetes has beside its inputs; in a preview, what it lacks is not known
 */
export async function runInEngine<T>(
  program: () => T | Promise<T>,
  provide: Provide,
  preview = false,
  make: (type: string, name: string) => Record<string, unknown> = () => ({}),
): Promise<Run & { readonly result: T }> {
  const mocks = {
    call: ({ inputs }: pulumi.runtime.MockCallArgs) => inputs as Record<string, unknown>,
    newResource: async ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
      const given = unwrap(inputs) as Record<string, unknown>;
      const isObject = given['apiVersion'] !== undefined;
      return {
        id: `${name}-id`,
        state: isObject ? await provide(name.split('/')[0] ?? '', given) : { ...given, ...make(type, name) },
      };
    },
  };
  await pulumi.runtime.setMocks(mocks, 'meshwright', 'test', preview);
  const registered: Registered[] = [];
  const outputs = new Map<string, Readonly<Record<string, unknown>>>();
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, answer) => {
      if (answer !== undefined) registered.push(readRequest(request, answer.getUrn()));
      callback(error, answer);
    });
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResourceOutputs = (request, callback) => {
    outputs.set(request.getUrn(), unwrap(request.getOutputs().toJavaScript()) as Record<string, unknown>);
    return registerOutputs(request, callback);
  };
  const result = await program();
  await pulumi.runtime.disconnect();
  return { registered, outputs, result };
}

/** Whether a value on the wire is a secret. */
export function isSecret(value: unknown): boolean {
  return typeof value === 'object' && value !== null && secretMark in value;
}

/** What is in plaintext on the wire. */
export function plaintext(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plaintext);
  if (typeof value !== 'object' || value === null) return value;
  if (isSecret(value)) return '[secret]';
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plaintext(inner)]));
}

/** The value with its secrets opened. */
function unwrap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrap);
  if (typeof value !== 'object' || value === null) return value;
  if (isSecret(value)) return unwrap((value as { value: unknown }).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

function readRequest(request: RegisterRequest, urn: string): Registered {
  const wire = request.getObject()?.toJavaScript() ?? {};
  const propertyDependencies: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((urns, property) => {
    if (urns.getUrnsList().length > 0) propertyDependencies[property] = urns.getUrnsList();
  });
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    parent: request.getParent(),
    provider: request.getProvider(),
    custom: request.getCustom(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    dependencies: request.getDependenciesList(),
    propertyDependencies,
    fromTheRoot: request.getAliasesList().some((alias) => alias.getSpec()?.getNoparent() === true),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getDeletebeforereplace() ? request.getReplaceonchangesList() : [],
    secretOutputs: request.getAdditionalsecretoutputsList(),
    wire,
    inputs: unwrap(wire) as Record<string, unknown>,
  };
}

type Callback<T> = (error: unknown, answer: T | undefined) => void;

interface Monitor {
  registerResource: (request: RegisterRequest, callback: Callback<{ getUrn(): string }>) => Promise<void>;
  registerResourceOutputs: (request: OutputsRequest, callback: Callback<unknown>) => unknown;
}
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getCustom(): boolean;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getDependenciesList(): string[];
  getPropertydependenciesMap(): {
    forEach: (each: (urns: { getUrnsList(): string[] }, property: string) => void) => void;
  };
  getAliasesList(): { getSpec(): { getNoparent(): boolean } | undefined }[];
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getDeletebeforereplace(): boolean;
  getAdditionalsecretoutputsList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): { toJavaScript(): Record<string, unknown> };
}
