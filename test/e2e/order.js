/**
 * The suites in the order they run. They build on each other's state of the lab, and bringing another mesh up costs half a
 * minute: those of one mesh stand together. Each can also be run alone.
 */
export const order = [
  // Without a lab.
  '0-interop',
  '0b-transcoding',
  '0c-proto-conformance',
  '0c-conformance',
  '0c-memory',
  '0d-analyzers',
  '0d-edge-proxy',
  '0d-edge-overload',
  '0d-rates',
  '0d-shared-connections',
  '0d-shared-refusals',
  '0d-grpc-deadlines',
  '0d-outside-deadlines',
  '0d-h2spec',
  '0d-autobahn',
  '0d-schemathesis',
  // A lab of its own, from the packages; gone at its end.
  '0e-own-repository',
  // Copies of the checkout, without a lab.
  '0f-without-the-sample',
  // The mesh of the checkout.
  '1-lifecycle',
  '2-mesh',
  '3-yaml',
  '4-access',
  '8-refusals',
  '8b-wrong-inputs',
  '7-contexts',
  '7k-least-rights',
  '8d-failing-pods',
  '6b-new',
  '8c-export',
  '7h-attacks',
  '7c-interruptions',
  // Each a mesh of its own.
  '4b-service',
  '4c-visibility',
  '4d-foreign-images',
  '4e-tcp',
  '4g-stateful',
  '4f-http',
  '4h-jobs',
  '4i-external',
  '5-traffic',
  '5b-telemetry',
  '6-edge',
  '6e-grpc',
  '6d-paths',
  '6c-streams',
  '7f-interop',
  '7g-drain',
  // The mesh under load.
  '5c-trust',
  '5d-remote-access',
  '5e-revisions',
  '7b-load',
  '7d-node-ports',
  '7j-networks',
  '7n-clusters',
  '7e-cert-manager',
  '7l-ca-volume',
  // An Istio that the suite installs; the mesh of the checkout at its end.
  '7i-foreign-istio',
  // Takes everything down.
  '9-teardown',
].map((name) => `${name}.e2e.ts`);

/** Orders file names or paths; one that is not listed is refused, as it would run in a state that nobody chose. */
export function inOrder(paths) {
  const place = (path) => order.indexOf(path.split('/').at(-1) ?? '');
  const unknown = paths.filter((path) => place(path) < 0);
  if (unknown.length > 0) throw new Error(`test/e2e/order.js does not list ${unknown.join(', ')}`);
  return paths.toSorted((a, b) => place(a) - place(b));
}
