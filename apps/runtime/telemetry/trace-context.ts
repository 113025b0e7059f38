/** The ids of a span, as shown in lines of the log. */
export interface TraceIds {
  /** 32 digits in lower-case hex. */
  readonly trace_id: string;
  /** 16 digits in lower-case hex. */
  readonly span_id: string;
}

/**
 * The ids in a `traceparent`; undefined when it is missing or not valid.
 * Source: W3C Trace Context, section 3.2.2.
 */
export function traceIdsOf(traceparent: unknown): TraceIds | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [, version, trace_id, span_id, rest] =
    /^([\da-f]{2})-((?!0{32})[\da-f]{32})-((?!0{16})[\da-f]{16})-[\da-f]{2}(-.*)?$/.exec(traceparent) ?? [];
  if (trace_id === undefined || span_id === undefined || version === 'ff') return undefined;
  // Version 00 has four fields; later ones may have more.
  return version === '00' && rest !== undefined ? undefined : { trace_id, span_id };
}
