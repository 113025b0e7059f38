import { describe, expect, test } from '@jest/globals';
import { whyNodeNotReady, whyPodsNotReported } from './fresh-status.ts';

const start = Date.parse('2030-01-01T00:00:10.500Z');
const before = '2030-01-01T00:00:09Z';
const after = '2030-01-01T00:00:10Z';

describe('a node', () => {
  const node = (status: string, lastHeartbeatTime: string) =>
    JSON.stringify({
      status: { conditions: [{ type: 'Ready', status, message: 'PLEG is not healthy', lastHeartbeatTime }] },
    });

  test('is ready by what its kubelet says since it was started', () => {
    expect(whyNodeNotReady(node('True', after), start)).toBeUndefined();
    expect(whyNodeNotReady(node('False', after), start)).toBe('PLEG is not healthy');
  });

  test('is not ready by what was known before, nor before its first report', () => {
    expect(whyNodeNotReady(node('True', before), start)).toBe('the kubelet has not reported yet');
    expect(whyNodeNotReady(JSON.stringify({ status: { conditions: [] } }), start)).toBe(
      'the kubelet has not reported yet',
    );
  });
});

describe('the pods of a node', () => {
  const pod = (name: string, ready: string, startedAt: string) => ({
    metadata: { name, namespace: 'shop' },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      containerStatuses: [{ state: { running: { startedAt } } }, { state: { terminated: {} } }],
    },
  });

  test('are reported once none is ready by containers of an earlier start', () => {
    const items = [
      pod('restarted', 'True', after),
      pod('stopped', 'False', before),
      { metadata: { name: 'new', namespace: 'shop' }, status: {} },
    ];
    expect(whyPodsNotReported(JSON.stringify({ items }), start)).toBeUndefined();
    const stale = [...items, pod('catalog', 'True', before), pod('edge', 'True', before)];
    expect(whyPodsNotReported(JSON.stringify({ items: stale }), start)).toBe(
      'the kubelet has not reported on shop/catalog, shop/edge since the node was started',
    );
  });
});
