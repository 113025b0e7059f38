import { setImmediate, setTimeout } from 'node:timers/promises';

/** How long a file's sockets and children may take to close after its last hook, in milliseconds. */
const closingTime = 5_000;

/** Objects that every module sees: a file that leaves one changed would change the next file's world. */
const shared: readonly (readonly [string, object])[] = [
  ['globalThis', globalThis],
  ['process', process],
  ['console', console],
  ['Date', Date],
  ['Math', Math],
  ['JSON', JSON],
  ['performance', performance],
  ['process.stdout', process.stdout],
  ['process.stderr', process.stderr],
];

/** What a file may not leave behind, as it is now. */
export interface World {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly properties: readonly ReadonlyMap<PropertyKey, unknown>[];
  readonly open: ReadonlyMap<string, number>;
}

export function takeWorld(): World {
  return {
    env: { ...process.env },
    cwd: process.cwd(),
    properties: shared.map(([, holder]) => functionsOf(holder)),
    open: openResources(),
  };
}

/** Restores environment variables and the working directory, and names what else is not as it was. */
export async function restoreWorld(before: World): Promise<string[]> {
  for (const name of Object.keys(process.env))
    if (!(name in before.env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before.env);
  process.chdir(before.cwd);
  return [...changes(before), ...(await leftOpen(before.open))];
}

/** Such as `__extends`: every copy of tslib puts its helpers into globalThis, in the place of those of an earlier copy. */
const helper = /^__[a-z]/i;

/** Functions by their keys; what is added by a module that was loaded meanwhile is no change. */
function functionsOf(holder: object): ReadonlyMap<PropertyKey, unknown> {
  const descriptors = Object.entries(Object.getOwnPropertyDescriptors(holder));
  return new Map(
    descriptors.flatMap(([key, { value }]: [string, PropertyDescriptor]) =>
      typeof value === 'function' && !helper.test(key) ? [[key, value]] : [],
    ),
  );
}

function changes({ properties }: World): string[] {
  return shared.flatMap(([name, holder], index) => {
    const now = functionsOf(holder);
    return [...(properties[index] ?? [])]
      .filter(([key, value]) => now.get(key) !== value)
      .map(
        ([key]) => `${name}.${String(key)} is not what it was before the file; restore it in an afterEach`,
      );
  });
}

/** What keeps the event loop alive, counted by kind. */
function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

async function leftOpen(before: ReadonlyMap<string, number>): Promise<string[]> {
  const more = () =>
    [...openResources()].flatMap(([kind, count]) => {
      const added = count - (before.get(kind) ?? 0);
      return added > 0 ? [`${String(added)} ${kind}`] : [];
    });
  for (let turn = 0; turn < 10 && more().length > 0; turn++) await setImmediate();
  const end = performance.now() + closingTime;
  // A timer that does not keep the process alive is not counted, so this wait does not count itself.
  while (more().length > 0 && performance.now() < end) await setTimeout(10, undefined, { ref: false });
  const kinds = more().sort();
  return kinds.length === 0
    ? []
    : [`${kinds.join(', ')} left open after the last test and hook; close them in an afterEach or afterAll`];
}
