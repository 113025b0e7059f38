import { join } from 'node:path';
import { loadAppConfigs } from '../apps/config/app-config.ts';
import { imageTag } from '../apps/config/image-tag.ts';
import { synthShop } from '../charts/main.ts';
import { ensureImages, type BuiltImage } from '../lab/images/images.ts';
import { imageTable } from '../lab/images/table.ts';
import { ensureTools } from '../lab/tools/build.ts';
import { runTasks } from './tasks.ts';
import type { Workspace } from './workspace.ts';

/** `npm run images`: builds the images of the apps and of the lab's Istio, and says where their archives are. */
export async function images(at: Workspace, signal: AbortSignal): Promise<number> {
  const { model } = synthShop(at.root);
  const { root, cacheDir, logsDir } = at;
  let built: readonly BuiltImage[] = [];
  await runTasks([
    {
      title: 'images',
      run: async (report) => {
        const tools = await ensureTools({
          root,
          cacheDir,
          logsDir,
          sets: ['istio', 'envoy'],
          report,
          signal,
        });
        const apps = loadAppConfigs(root).map((config) => ({ config, tag: imageTag(root, config) }));
        const { hub, tag: istioTag } = model.istio;
        built = await ensureImages({ root, cacheDir, logsDir, tools, apps, hub, istioTag, report, signal });
      },
    },
  ]);
  process.stdout.write(
    imageTable(built)
      .map((line) => `${line}\n`)
      .join(''),
  );
  process.stdout.write(
    `archives for \`docker load\` and \`ctr images import\`: ${join(cacheDir, 'images')}\n`,
  );
  return 0;
}
