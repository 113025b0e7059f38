import { expect, test } from '@jest/globals';
import { modelOf, modelOnExisting } from '../../infra/testing/models.ts';
import { probeLabels } from './probes.ts';

test("a probe has its caller's labels, and asks an Istio of others for a proxy by the declared revision or tag", () => {
  const caller = { name: 'orders' };
  const own = {
    'app.kubernetes.io/name': 'orders',
    'app.kubernetes.io/managed-by': 'meshwright',
    'app.kubernetes.io/part-of': 'shop',
  };
  expect(probeLabels(modelOf(['east']), caller)).toEqual(own);
  const asked = { ...own, 'sidecar.istio.io/inject': 'true' };
  expect(probeLabels(modelOnExisting(['east']), caller)).toEqual({ ...asked, 'istio.io/rev': 'prod' });
  expect(probeLabels(modelOnExisting(['east'], { revision: 'default' }), caller)).toEqual(asked);
});
