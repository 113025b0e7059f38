import { audience, issuer, jwks } from '../calls/edge.ts';
import { declarationOf, imageProject } from './image-project.ts';
import { image } from './nats.ts';

/** Hosts of the two edges: one with the front beside methods, one with a part of it that asks for tokens. */
export const [www, members] = ['www.example', 'members.example'] as const;

/**
 * NATS' own server by its pages of HTTP, which tell who it is, as a web front: `reader` may read one page, and all below another one, and
 * `auditor` may ask with HEAD alone. One edge has it beside the methods of the catalogue, and one has a page of it for who has a token.
 */
const declaration = declarationOf({
  names: ['GrpcService', 'HttpEdge', 'HttpService'],
  services: {
    'shop/catalog/v1/catalog': ['CatalogService'],
    'shop/inventory/v1/inventory': ['InventoryService'],
  },
  body: `
    const front = new HttpService(shop, 'front', {
      image: '${image}',
      port: 8222,
      servicePort: 80,
      args: ['--addr=0.0.0.0', '--http_port=8222'],
      resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
      shutdown: { drainSeconds: 1, graceSeconds: 20 },
    });
    const app = { app: 'apps/inventory', service: InventoryService };
    const inventory = new GrpcService(shop, 'reader', app);
    inventory.calls(front.route('GET', '/varz'), front.route('GET', '/public/*'));
    new GrpcService(shop, 'auditor', { ...app, placement: ['west'] }).calls(front.route('HEAD', '/{*}'));
    const catalog = new GrpcService(shop, 'catalog', { app: 'apps/catalog', service: CatalogService });
    catalog.calls(inventory.method.getStock);
    new HttpEdge(shop, 'www', { expose: [catalog.method.listProducts, front.route('GET', '/*')], hosts: ['${www}'] });
    const page = front.route('GET', '/healthz');
    const jwt = { issuer: '${issuer}', audiences: ['${audience}'], jwks: ${JSON.stringify(jwks)}, except: [page] };
    new HttpEdge(shop, 'members', { expose: [front.route('GET', '/varz'), page], hosts: ['${members}'], jwt });`,
});

/** A project of its own with this declaration, which brings the lab of the checkout to it. */
export const frontProject = () => imageProject(declaration);

const host = 'front.shop.svc.cluster.local';

/** A request to it by its name in the mesh. */
export const request = (verb: string, path: string, at = host, port = 80) => ({ host: at, port, verb, path });
