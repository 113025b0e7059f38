import type { Answer } from '../answer.ts';
import type { TestRequest } from '../requests/request.ts';

export type PeerName = 'grpc-gateway' | 'Envoy';

/** A request and what ours and one peer answered. */
export interface Comparison {
  readonly request: TestRequest;
  readonly peer: PeerName;
  readonly ours: Answer;
  readonly theirs: Answer;
}

/** A way in which a peer answers otherwise than ours does. */
export interface Difference {
  /** What ours does, as a sentence, unique. */
  readonly rule: string;
  readonly peers: readonly PeerName[];
  /** What these peers do. */
  readonly theirs: string;
  /** Who is right; either when the specifications leave it open, so that ours is a judgement. */
  readonly right: 'meshwright' | 'the peers' | 'either';
  /** By what. */
  readonly by: string;
  /** Whether it is this difference. @param line `METHOD TARGET BODY` */
  readonly when: (comparison: Comparison, line: string) => boolean;
}

export const [gateway, envoy] = [['grpc-gateway'], ['Envoy']] as const;
export const both = ['grpc-gateway', 'Envoy'] as const;

export const json = 'ProtoJSON Format';
/** What ProtoJSON refers to for its edge cases. */
export const suite = 'Protocol Buffers conformance tests';
export const http = 'google/api/http.proto';
/** How a value is written in a path or a query. */
export const unsaid = `${http} does not say how a value is written in a path or a query; ours: as in a JSON string`;

type Predicate = Difference['when'];

/** Ours refuses what the peer takes. */
export const stricter =
  (pattern: RegExp): Predicate =>
  ({ ours, theirs }, line) =>
    ours.status === 400 && theirs.status < 400 && pattern.test(line);
/** The peer refuses, or fails at, what ours takes. */
export const laxer =
  (pattern: RegExp): Predicate =>
  ({ ours, theirs }, line) =>
    ours.status === 200 && theirs.status >= 400 && pattern.test(line);
/** Both take it, and it becomes something else. */
export const other = (pattern: RegExp): Predicate => statuses(200, 200, pattern);
/** Statuses as given. */
export const statuses =
  (mine: number, its: number, pattern = /^/): Predicate =>
  ({ ours, theirs }, line) =>
    ours.status === mine && theirs.status === its && pattern.test(line);
