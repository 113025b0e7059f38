import { describe, expect, test } from '@jest/globals';
import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import { followUpdate } from './pulumi-progress.ts';

const urn = (type: string, name: string) =>
  `urn:pulumi:lab::meshwright::meshwright:infra:Mesh$meshwright:infra:Cluster$meshwright:infra:Stage$kubernetes:${type}::${name}`;
const namespace = urn('core/v1:Namespace', 'east/shop');
const deployment = urn('apps/v1:Deployment', 'east/shop/catalog');

let sequence = 0;
/** An event as the engine writes it to its log. */
const event = (timestamp: number, content: object): EngineEvent => ({
  sequence: ++sequence,
  timestamp,
  ...content,
});
const metadata = (op: string, of: string) => ({ metadata: { op, urn: of, type: '', provider: '' } });
const before = (timestamp: number, op: string, of: string) =>
  event(timestamp, { resourcePreEvent: metadata(op, of) });
const after = (timestamp: number, op: string, of: string) =>
  event(timestamp, { resOutputsEvent: metadata(op, of) });
const said = (severity: string, message: string, rest: object = {}) =>
  event(100, { diagnosticEvent: { severity, message, color: 'raw', ...rest } });

/** What is reported of the events. */
function follow(phase: 'preview' | 'up' | 'destroy', events: readonly EngineEvent[], planned?: number) {
  const lines: string[] = [];
  const take = followUpdate(phase, (line) => lines.push(line), planned);
  for (const one of events) take(one);
  return lines;
}

describe('followUpdate', () => {
  test('tells what was done, how long it took, and how far it is', () => {
    const lines = follow(
      'up',
      [
        event(100, { preludeEvent: { config: {} } }),
        before(100, 'refresh', namespace),
        after(100, 'refresh', namespace),
        before(101, 'same', namespace),
        after(101, 'same', namespace),
        before(101, 'create', deployment),
        after(135, 'create', deployment),
        before(136, 'update', namespace),
        after(136, 'update', namespace),
        event(140, { summaryEvent: { durationSeconds: 40, resourceChanges: { same: 1, create: 1 } } }),
      ],
      7,
    );
    expect(lines).toEqual([
      'created Deployment east/shop/catalog in 34 s (2 of 7)',
      'changed Namespace east/shop (2 of 7)',
    ]);
  });

  test('says of a deletion how many are done, as nobody knows of how many', () => {
    expect(follow('destroy', [before(1, 'delete', deployment), after(9, 'delete', deployment)])).toEqual([
      'deleted Deployment east/shop/catalog in 8 s (1 done)',
    ]);
  });

  test('never says more is done than there is', () => {
    expect(follow('up', [after(1, 'create', namespace), after(1, 'create', deployment)], 1).at(-1)).toBe(
      'created Deployment east/shop/catalog (2 of 2)',
    );
  });

  test('tells what failed, what a policy refuses, and what is waited for, without colours', () => {
    const refusal = {
      resourceUrn: deployment,
      message: '<{%fg 1%}>The tag\nis moved.<{%reset%}>\n',
      policyName: 'pinned-images',
    };
    expect(
      follow('preview', [
        after(1, 'create', namespace),
        event(1, { policyEvent: refusal }),
        event(1, { resOpFailedEvent: { ...metadata('create', deployment), status: 0, steps: 1 } }),
        said('error', '<{%reset%}>no such image<{%reset%}>\n', { urn: deployment }),
        said('warning', 'cluster east is unreachable'),
        said('info', 'east: Deployment shop/catalog available: waiting', { ephemeral: true }),
        said('info', 'west: CA: issuing', {
          urn: 'urn:pulumi:lab::meshwright::pulumi:pulumi:Stack::meshwright-lab',
          ephemeral: true,
        }),
        said('info', 'Service initialization complete', { urn: deployment, ephemeral: true }),
        said('info', 'kept in the log'),
        said('info#err', '\n', { ephemeral: true }),
      ]),
    ).toEqual([
      'refused by pinned-images: Deployment east/shop/catalog: The tag is moved.',
      'failed: Deployment east/shop/catalog (1 done)',
      'Deployment east/shop/catalog: no such image',
      'cluster east is unreachable',
      'east: Deployment shop/catalog available: waiting',
      'west: CA: issuing',
    ]);
  });

  test('names a provider as what it is', () => {
    const provider =
      'urn:pulumi:lab::meshwright::meshwright:infra:Mesh$meshwright:infra:Cluster$pulumi:providers:kubernetes::east';
    expect(follow('up', [after(1, 'create', provider)])).toEqual(['created provider east (1 done)']);
  });
});
