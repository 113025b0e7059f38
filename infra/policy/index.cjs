// Pulumi runs policy packs with a TypeScript loader of its own, which cannot load ES modules. An import bypasses it, and Node
// runs the sources as they are. Outside a checkout there is the compiled file.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const isCompiled = existsSync(join(__dirname, 'pack.js'));
module.exports = () => import(isCompiled ? './pack.js' : './pack.ts');
