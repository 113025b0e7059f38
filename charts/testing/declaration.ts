import { declare, lab, released } from '../index.ts';
import { shopInTwo } from './shop.ts';

/** The shop of the tests with its environments, as the mesh.ts of a project has them. */
export default declare({
  environments: {
    lab: { platform: lab, gateways: {} },
    prod: {
      platform: released({ imageHub: 'registry.example/shop', istioTag: '1.29.2' }),
      gateways: {
        eastWest: { type: 'LoadBalancer', sources: ['192.0.2.0/24', '198.51.100.0/24'] },
        ingress: { type: 'LoadBalancer', sources: { any: 'customers call from anywhere' } },
      },
    },
  },
  mesh: ({ root, values }) => shopInTwo(root, values),
});
