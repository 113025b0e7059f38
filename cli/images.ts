import { loadAppConfigs } from '../apps/config/app-config.ts';
import { lockFile, writeLock } from '../images/lock.ts';
import { lockApps, refreshLock } from '../images/lock-apps.ts';
import { markedNames, strayProblems } from '../charts/holes.ts';
import { throwIfAny } from '../core/problem.ts';
import { loadDeclaration } from './workspace/declaration.ts';
import { filledMesh } from './workspace/synth-mesh.ts';
import { environmentOfStack } from './workspace/target.ts';
import { archiveName, ensureBase, ensureImages, sbomName, type BuiltImage } from '../images/build.ts';
import { imageTable } from '../images/table.ts';
import { ensureTools } from '../toolchain/build.ts';
import { runTasks } from './output/tasks.ts';
import type { Workspace } from './workspace/workspace.ts';

export interface ImagesFlags {
  readonly updateBase?: boolean;
  readonly stack?: string;
}

/**
 * `npm run images`: locks and builds the images of the apps, named as an environment pulls them, builds those of Istio for a lab,
 * and says where their archives and bills of materials are. With `--update-base` the lock takes the base that this machine makes.
 */
export async function images(at: Workspace, flags: ImagesFlags, signal: AbortSignal): Promise<number> {
  const { root, cacheDir, logsDir } = at;
  const declaration = await loadDeclaration(root);
  const environment = environmentOfStack(flags.stack, declaration.environments);
  const { platform } = filledMesh(declaration, root, environment);
  const hub = platform.imageHub;
  const istio = 'istio' in platform ? platform.istio : undefined;
  // What synth finds in the objects, which are not rendered here.
  throwIfAny(strayProblems('mesh.ts: platform', markedNames(JSON.stringify({ hub, istio }))));
  let built: readonly BuiltImage[] = [];
  let locked = false;
  await runTasks([
    {
      title: `digests in ${lockFile}`,
      run: async (report) => {
        if (flags.updateBase) {
          const base = await ensureBase({ root, cacheDir, report, signal });
          locked = writeLock(root, { base, apps: await lockApps(root, base) });
        } else locked = await refreshLock(root);
        report(locked ? 'changed: run npm run synth to update dist/' : 'nothing changed');
      },
    },
    {
      title: 'images',
      run: async (report) => {
        const sets = ['istio', 'envoy'] as const;
        // Others pull Istio's own.
        const ownIstio = istio?.proxy === 'upstream-envoy' && {
          istio: {
            tools: await ensureTools({ cacheDir, logsDir, sets, report, signal }),
            tag: istio.tag,
          },
        };
        const apps = loadAppConfigs(root);
        built = await ensureImages({ root, cacheDir, apps, hub, ...ownIstio, report, signal });
      },
    },
  ]);
  const lines = [
    ...imageTable(built),
    `in each folder: ${archiveName}, for \`docker load\`, \`ctr images import\` and \`skopeo copy --preserve-digests oci-archive:\`;`,
    `in those of the apps: ${sbomName}, what the image is made of (CycloneDX)`,
  ];
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}
