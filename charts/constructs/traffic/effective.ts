import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import type { Method } from '../scope/method.ts';
import type { TrafficDefaults } from '../scope/traffic-defaults.ts';
import type { Metadata, MetadataMatch, TrafficPolicyProps, TrafficRule } from './props.ts';

/** A policy whose props were checked. */
export type SoundPolicy = TrafficPolicyProps<string, string>;
type Rule = TrafficRule<string, string>;

/** What is done with the calls of a route; what a rule does not say is absent. */
export type Action = Pick<Rule, 'timeoutMs' | 'retries' | 'to' | 'fault' | 'mirror'>;

/** What of the defaults of a mesh or namespace a route says. */
export type CallDefaults = Pick<TrafficDefaults, 'timeoutMs' | 'retries'>;

/** The keys of an {@link Action}. */
export const actionKeys = ['timeoutMs', 'retries', 'to', 'fault', 'mirror'] as const;

/** A route before it is written as Istio's. */
export interface Route {
  /** Shown in access logs and Envoy's statistics. */
  readonly name: string;
  /** Any of these; none are all methods. */
  readonly methods: readonly Method[];
  readonly metadata: Metadata | undefined;
  readonly action: Action;
  /** Never retried, not even where no server has seen the call. */
  readonly streams: boolean;
}

/**
 * The routes of a service, in the order they are tried. Rules are not tried in the order they stand: a rule with metadata
 * comes before one without, and what it does not say it takes from the rules of its method without metadata. Of those
 * with metadata the ones with more names come first, then exact values before prefixes, longer prefixes before shorter
 * ones, and expressions last; so no rule with exact values or prefixes takes all the calls of another, unless both match
 * the same. What an expression matches is not looked into: one that lies within a prefix is never tried.
 * @param methods - all methods of the service
 * @param defaults - what holds for calls of which no rule says otherwise
 */
export function routesOf(
  methods: readonly Method[],
  rules: readonly Rule[],
  defaults: CallDefaults = {},
): readonly Route[] {
  const indexed = rules.map((rule, index) => ({ rule, name: `rules[${index}]` }));
  const everywhere = indexed.filter(({ rule }) => rule.method === undefined).toSorted(bySpecificity);
  const plainStreams: Method[] = [];
  const own = methods.flatMap((method): readonly Route[] => {
    const ofMethod = indexed.filter(({ rule }) => rule.method?.descriptor === method.descriptor);
    const bases = ofMethod.filter(({ rule }) => isBase(rule));
    const said = Object.assign({}, ...bases.map(({ rule }) => actionOf(rule))) as Action;
    const usual = usualAction(method, defaults, said);
    const base = { ...usual, ...said };
    const special = ofMethod.filter(({ rule }) => !isBase(rule)).toSorted(bySpecificity);
    const streams = method.kind !== 'unary';
    if (ofMethod.length === 0 && streams && everywhere.length === 0) {
      plainStreams.push(method);
      return [];
    }
    const needed = bases.length > 0 || streams || Object.keys(usual).length > 0;
    // What holds for the method also holds for its calls that a rule without a method picks out.
    const taken = new Set(special.map(({ rule }) => matchKey(rule.metadata)));
    const inherited =
      needed || special.length > 0
        ? everywhere.filter(({ rule }) => !taken.has(matchKey(rule.metadata)))
        : [];
    const { localName } = method.descriptor;
    return [
      ...[...special, ...inherited].toSorted(bySpecificity).map(({ rule, name }) => ({
        name: `${localName} ${name}`,
        methods: [method],
        metadata: rule.metadata,
        action: combined(base, actionOf(rule)),
        streams,
      })),
      ...(needed ? [{ name: localName, methods: [method], metadata: undefined, action: base, streams }] : []),
    ];
  });
  return [
    ...own,
    ...(plainStreams.length === 0
      ? []
      : [{ name: 'streams', methods: plainStreams, metadata: undefined, action: {}, streams: true }]),
    ...everywhere.map(({ rule, name }) => ({
      name,
      methods: [],
      metadata: rule.metadata,
      action: actionOf(rule),
      streams: false,
    })),
    { name: 'default', methods: [], metadata: undefined, action: {}, streams: false },
  ];
}

/** What is done with a method's calls of which no rule says otherwise; with streams nothing. */
function usualAction(
  { kind, descriptor }: Method,
  { timeoutMs, retries }: CallDefaults,
  { fault }: Action,
): Action {
  if (kind !== 'unary') return {};
  const repeatable = descriptor.idempotency !== Level.IDEMPOTENCY_UNKNOWN && fault === undefined;
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(retries === undefined || !repeatable ? {} : { retries }),
  };
}

/** Whether a rule is for all the calls of its method. */
export function isBase({ metadata }: { readonly metadata?: Metadata | undefined }): boolean {
  return metadata === undefined || Object.keys(metadata).length === 0;
}

/** Whether calls of a method are ended or delayed on purpose, whatever their metadata. */
export function injectsFaults(policy: SoundPolicy | undefined, { descriptor }: Method): boolean {
  const rules = policy?.rules ?? [];
  return rules.some(
    (rule) =>
      rule.fault !== undefined && isBase(rule) && (rule.method?.descriptor ?? descriptor) === descriptor,
  );
}

/** Two rules with equal keys match the same calls of their method. */
export function matchKey(metadata: Metadata | undefined): string {
  return JSON.stringify(Object.entries(metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function actionOf(rule: Rule): Action {
  const said = actionKeys.filter((key) => rule[key] !== undefined).map((key) => [key, rule[key]]);
  return Object.fromEntries(said) as Action;
}

/**
 * What a rule says goes before what holds for its method: its fault before the method's retries, too, which Istio does not
 * make where it injects one. A mirror is of no use where the calls go themselves.
 */
function combined(base: Action, own: Action): Action {
  const kept = Object.entries(base).filter(([key]) => key !== 'retries' || own.fault === undefined);
  const { mirror, ...others } = { ...(Object.fromEntries(kept) as Action), ...own };
  return mirror === undefined || mirror.to === others.to ? others : { ...others, mirror };
}

interface Named {
  readonly rule: Rule;
}

/** Array.prototype.sort is stable: rules that are alike in this stay in the order they stand. */
function bySpecificity({ rule: a }: Named, { rule: b }: Named): number {
  const [of, than] = [Object.values(a.metadata ?? {}), Object.values(b.metadata ?? {})];
  return (
    than.length - of.length ||
    sum(than, rank) - sum(of, rank) ||
    sum(than, prefixLength) - sum(of, prefixLength)
  );
}

function sum(matches: readonly MetadataMatch[], of: (match: MetadataMatch) => number): number {
  return matches.reduce((total, match) => total + of(match), 0);
}

function rank(match: MetadataMatch): number {
  return 'exact' in match ? 2 : 'prefix' in match ? 1 : 0;
}

function prefixLength(match: MetadataMatch): number {
  return 'prefix' in match ? match.prefix.length : 0;
}
