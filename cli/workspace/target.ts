import { environmentProblems } from '../../charts/declare.ts';
import { own } from '../../core/own.ts';
import { ProblemsError, throwIfAny, type Problem } from '../../core/problem.ts';
import { findPulumi, missingPulumiPackages } from '../../infra/pulumi/find-pulumi.ts';
import { parseConfig, type StackConfig } from '../../infra/plan/stack-config.ts';
import { readStackFile } from '../../infra/plan/stack-file.ts';
import { holeValues } from './hole-values.ts';
import { chooseClusters } from './clusters.ts';
import { environmentOf, labEnvironment, readRecord, type UpRecord } from './record.ts';
import type { Workspace } from './workspace.ts';

export interface TargetFlags {
  readonly context: readonly string[];
  readonly engine?: 'pulumi' | 'apply';
  readonly stack?: string;
}

/** Where the mesh is brought up, by what, and with which configuration. */
export interface Target {
  readonly record: UpRecord;
  readonly config: StackConfig;
  /** The stack file that says how the clusters are reached. @default - flags do, or the last `up` did, or the lab is */
  readonly accessFile?: string;
}

/** What matters of a mesh before it is rendered. */
interface Declared {
  readonly clusters: readonly { readonly name: string }[];
}

/** The stack of the lab. */
const labStack = labEnvironment;

/**
 * The environment of a stack: the one of its name. Without a stack, the lab's.
 * @param environments - those that are declared
 * @throws ProblemsError (exit 2) when none of the name is declared
 */
export function environmentOfStack(stack: string | undefined, environments: readonly string[]): string {
  if (stack !== undefined) {
    throwIfAny(environmentProblems('--stack', stack, environments));
    return stack;
  }
  if (environments.includes(labEnvironment)) return labEnvironment;
  throw new ProblemsError([
    {
      where: '--stack',
      what: `is missing: without it the environment is ${labEnvironment}, which mesh.ts does not declare`,
      allowed: environments.join(', '),
      fix: 'name one of these',
    },
  ]);
}

/**
 * The environment that `up` brings up: that of the stack it is given, else that of what is up, else the lab's.
 * @throws ProblemsError (exit 2) when it is not declared, or when the mesh was made by another stack
 */
export function chooseEnvironment(
  at: Workspace,
  flags: Pick<TargetFlags, 'stack' | 'context'>,
  environments: readonly string[],
): string {
  const before = readRecord(at.stateDir);
  const stack = chooseStack(flags, before);
  if (before === undefined || flags.stack !== undefined) return environmentOfStack(stack, environments);
  return environmentOfRecord(before, environments);
}

/**
 * The environment of what is up.
 * @throws ProblemsError (exit 2) when it is no longer declared
 */
export function environmentOfRecord(record: UpRecord, environments: readonly string[]): string {
  const environment = environmentOf(record);
  if (environments.includes(environment)) return environment;
  throw new ProblemsError([
    {
      where: 'mesh.ts',
      what: 'no longer declares the environment that the mesh of this checkout is up in',
      received: environments.join(', '),
      allowed: environment,
      fix: `declare ${environment} again; to leave it, run \`npm run down\` before it is removed`,
    },
  ]);
}

/**
 * Which clusters, engine and stack an environment is brought up in: those given, else those of the last `up`, else the lab. The stack's file is read
 * again each time: it is the state that was reviewed.
 * @throws ProblemsError (exit 2) for wrong flags, a wrong stack file, or clusters other than those that the mesh is up in.
 */
export function chooseTarget(
  at: Workspace,
  flags: TargetFlags,
  mesh: Declared,
  environment: string,
  env: NodeJS.ProcessEnv = process.env,
): Target {
  const before = readRecord(at.stateDir);
  const engine = chooseEngine(flags.engine, before);
  const stack = chooseStack(flags, before);
  const file = settingsOf(at, stack);
  const reached = chooseClusters(
    at,
    mesh.clusters.map(({ name }) => name),
    {
      ...{ context: flags.context, before, file, env },
      fileName: `Pulumi.${stack ?? ''}.yaml`,
      isLab: stack === labStack,
    },
  );
  const access = Object.fromEntries(
    Object.entries(reached.access).map(([name, { kubeconfig, context }]) => {
      const apiServer = own(file.access, name)?.apiServer;
      return [name, { kubeconfig, context, ...(apiServer !== undefined && { apiServer }) }];
    }),
  );
  const { lab, left, accessFile } = reached;
  const isLeft = Object.keys(left).length > 0;
  if (isLeft && before !== undefined && environmentOf(before) !== environment)
    throw new ProblemsError([otherEnvironment(environment, before, Object.keys(left))]);
  const record = {
    ...{ engine, lab, ...(stack !== undefined && { stack }), environment, access },
    ...(isLeft && { left }),
  };
  // Contexts alone have no stack, but an environment.
  const config = { ...file, access, values: holeValues(at.root, environment).values };
  return { record, config, ...(accessFile !== undefined && { accessFile }) };
}

/** Another environment may take over the clusters of what is up. That it has others as well does not mean that these are given up. */
function otherEnvironment(environment: string, before: UpRecord, left: readonly string[]): Problem {
  return {
    where: '--stack',
    what: `is of another environment than the mesh of this checkout is up in, and does not have cluster ${left.join(', ')}: the mesh would be removed there`,
    received: environment,
    allowed: environmentOf(before),
    fix: 'run `npm run down` first, or use another checkout',
  };
}

/** The configuration of what is up, for commands that change nothing about it. */
export function configOf(at: Workspace, { stack, access }: UpRecord): StackConfig {
  return { ...settingsOf(at, stack), access };
}

function settingsOf(at: Workspace, stack: string | undefined): StackConfig {
  const defaults = { trustDir: at.trustDir };
  return stack === undefined
    ? parseConfig(defaults, at.root, 'defaults')
    : readStackFile(at.root, stack, defaults);
}

/** Contexts alone have no stack: they get the defaults. */
function chooseStack(
  { stack, context }: Pick<TargetFlags, 'stack' | 'context'>,
  before: UpRecord | undefined,
): string | undefined {
  // Earlier versions recorded no stack of the lab.
  const made = before?.stack ?? (before?.lab === true ? labStack : undefined);
  const where = '--stack';
  const fix = 'run `npm run down` first, or use another checkout';
  if (stack !== undefined && made !== undefined && stack !== made) {
    const what = 'the mesh of this checkout was made by another stack';
    throw new ProblemsError([{ where, what, received: stack, allowed: made, fix }]);
  }
  if (stack !== undefined && made === undefined && before?.engine === 'pulumi') {
    const what =
      'Pulumi made the mesh of this checkout in a stack that is named after the mesh, which would go on to have the same objects';
    throw new ProblemsError([{ where, what, received: stack, allowed: 'no --stack', fix }]);
  }
  if (stack !== undefined || before?.stack !== undefined) return stack ?? before?.stack;
  return context.length === 0 && (before?.lab ?? true) ? labStack : undefined;
}

/** A mesh keeps the engine that made it: another one would find objects it does not know as its own. */
function chooseEngine(asked: TargetFlags['engine'], before: UpRecord | undefined): UpRecord['engine'] {
  if (asked !== undefined && before !== undefined && asked !== before.engine) {
    throw new ProblemsError([
      {
        where: '--engine',
        what: 'the mesh of this checkout was made by the other engine',
        received: asked,
        allowed: before.engine,
        fix: 'run `npm run down` first',
      },
    ]);
  }
  const found = findPulumi() !== undefined;
  const missing = found ? missingPulumiPackages() : [];
  if (asked === 'pulumi') throwIfAny(pulumiProblems(found, missing));
  return asked ?? before?.engine ?? (found && missing.length === 0 ? 'pulumi' : 'apply');
}

/** Why Pulumi's engine, which was asked for, cannot be used. */
function pulumiProblems(found: boolean, missing: readonly string[]): readonly Problem[] {
  const problem = { where: '--engine', received: 'pulumi' };
  if (!found)
    return [
      {
        ...problem,
        what: 'there is no `pulumi` command on PATH',
        allowed: 'pulumi, where its command line is installed, or apply',
        fix: 'install the Pulumi command line, or leave --engine out',
      },
    ];
  if (missing.length === 0) return [];
  return [
    {
      ...problem,
      what: "Pulumi's npm packages are not installed",
      allowed: 'pulumi, where they are installed, or apply',
      fix: `run \`npm install ${missing.join(' ')}\`, or leave --engine out`,
    },
  ];
}
