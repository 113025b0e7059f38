import type { DescService } from '@bufbuild/protobuf';
import { parseForeignProps, type ForeignConfig } from '../../../apps/config/app-config.ts';
import { foreignKeys } from '../../../apps/config/foreign-schema.ts';
import { keysOf, unknownKeys } from '../../../core/keys.ts';
import { ProblemsError, type Problem } from '../../../core/problem.ts';
import { keysIn, saidIn } from '../scope/keys-in.ts';
import type { LoadedApp } from '../scope/mesh-construct.ts';
import type { GrpcServiceProps } from './service-props.ts';

/** The keys of all properties of a GrpcService. */
const propKeys = keysOf<GrpcServiceProps<DescService, string>>({
  app: true,
  image: true,
  service: true,
  services: true,
  placement: true,
  versions: true,
  tracing: true,
  pod: true,
  clusters: true,
  imagePullSecrets: true,
  port: true,
  ports: true,
  servicePort: true,
  env: true,
  resources: true,
  replicas: true,
  autoscaling: true,
  shutdown: true,
  command: true,
  args: true,
  probes: true,
  user: true,
  metrics: true,
  httpGateway: true,
});

/** Keys that a GrpcService does not have: of one by an app folder, those of a container in code are told by {@link sourceProblems}. */
export function unknownProps(where: string, props: unknown): readonly Problem[] {
  if (hasImage(props))
    return unknownKeys(
      where,
      props,
      propKeys.filter((key) => key !== 'app'),
    );
  const rest = Object.entries(keysIn(props)).filter(([key]) => !isOwn(key));
  return unknownKeys(
    where,
    Object.fromEntries(rest),
    propKeys.filter((key) => !isOwn(key)),
  );
}

/** Whether what a container is is said in code, image or not; plain JavaScript may have passed anything. */
export function hasImage(props: unknown): boolean {
  const { app, ...rest } = keysIn(props);
  return (app === undefined || app === null) && Object.keys(saidIn(rest, foreignKeys)).length > 0;
}

/** The container that is said in code, or what is wrong with it. */
export function loadOwn(
  where: string,
  said: { readonly name: string; readonly services: readonly string[] },
  props: unknown,
): LoadedApp {
  // The rest belongs to the construct, which knows all keys.
  return loadedBy(() => parseForeignProps(where, said, saidIn(props, foreignKeys)));
}

/** What a parser makes of what is said in code, or what is wrong with it. */
export function loadedBy(parse: () => ForeignConfig): LoadedApp {
  try {
    return { config: parse() };
  } catch (error) {
    if (error instanceof ProblemsError) return { problems: error.problems };
    throw error;
  }
}

/** What stands beside an app folder, and would have to be in its config.yml. */
export function sourceProblems(where: string, props: unknown): readonly Problem[] {
  const { app, ...rest } = keysIn(props);
  if (hasImage(props)) return [];
  return Object.keys(saidIn(rest, foreignKeys)).map((key) => ({
    where: `${where}: ${key}`,
    what: 'cannot be combined with app, whose config.yml says what its container is',
    fix:
      key === 'image'
        ? 'keep one'
        : `remove it, and say it in ${typeof app === 'string' ? app : 'the folder'}/config.yml`,
  }));
}

function isOwn(key: string): boolean {
  return foreignKeys.some((known) => known === key);
}
