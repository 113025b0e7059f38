import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { GrpcService, Mesh, lab, type Namespace } from '../charts/index.ts';
import { synthesize } from '../charts/synth.ts';
import { writeTestLock } from '../charts/testing/lock.ts';
import { CatalogService } from '../gen/test/catalog/v1/catalog_pb.js';

/** The figures of one rendering. */
export interface SynthRun {
  readonly services: number;
  /** Wall-clock seconds from the first declaration to the last byte of YAML. */
  readonly seconds: number;
  /** Seconds of processor time, of all the process's threads, in the same span. */
  readonly cpuSeconds: number;
  /** Largest resident set of the process, in MiB. */
  readonly peakMiB: number;
  /** Rendered objects, of both clusters. */
  readonly objects: number;
  /** Bytes of YAML. */
  readonly bytes: number;
}

const config = {
  name: 'catalog',
  services: [CatalogService.typeName],
  ports: { grpc: 50051 },
  image: { version: '1.0.0', title: 'an app', description: 'An app of the benchmark' },
  resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  replicas: 2,
};

/** Services per namespace, and the distances to the services that each one calls, as in a large mesh. */
const perNamespace = 50;
const callees = [1, 7, 31];

/** Declares a mesh of two clusters with this number of services, each of which calls three others, and renders it. */
export function synthRun(services: number): SynthRun {
  const root = mkdtempSync(join(tmpdir(), 'meshwright-bench-'));
  try {
    mkdirSync(join(root, 'apps', 'catalog'), { recursive: true });
    writeFileSync(join(root, 'apps', 'catalog', 'config.yml'), stringify(config));
    writeTestLock(root);
    const [started, cpu] = [performance.now(), process.cpuUsage()];
    const rendered = synthesize(declare(root, services));
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return {
      services,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      peakMiB: process.resourceUsage().maxRSS / 1024,
      objects: rendered.reduce((sum, { objects }) => sum + objects.length, 0),
      bytes: rendered.reduce((sum, { yaml }) => sum + Buffer.byteLength(yaml), 0),
    };
  } finally {
    rmSync(root, { recursive: true });
  }
}

function declare(root: string, count: number): Mesh<'one' | 'two'> {
  const mesh = new Mesh('bench', {
    root,
    trustDomain: 'bench.example',
    platform: lab,
    clusters: {
      one: { network: 'net-one', region: 'region-1', zone: 'zone-1' },
      two: { network: 'net-two', region: 'region-2', zone: 'zone-2' },
    },
  });
  const namespaces: Namespace<'one' | 'two'>[] = [];
  const services = Array.from({ length: count }, (_, index) => {
    const namespace =
      namespaces[Math.floor(index / perNamespace)] ?? mesh.namespace(`team-${namespaces.length}`);
    if (!namespaces.includes(namespace)) namespaces.push(namespace);
    return new GrpcService(namespace, `service-${index}`, { app: 'apps/catalog', service: CatalogService });
  });
  for (const [index, service] of services.entries()) {
    for (const distance of callees) {
      const callee = services[(index + distance) % count];
      if (callee !== undefined && callee !== service) service.calls(callee.method.getProduct);
    }
  }
  return mesh;
}

// Each run has its own process, so that memory left by one does not affect the next.
if (import.meta.main) process.stdout.write(`${JSON.stringify(synthRun(Number(process.argv[2])))}\n`);
