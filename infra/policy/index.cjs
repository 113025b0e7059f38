// Pulumi runs policy packs with a TypeScript loader of its own, which cannot load ES modules. An import bypasses it, and Node
// runs the sources as they are.
module.exports = () => import('./pack.ts');
