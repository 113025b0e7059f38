import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor';
import ts from 'typescript';
import { packages, stageName } from './packages.ts';

/** What may be imported from one entry of a package. */
export interface ApiReport {
  /** File name in docs/api/. */
  readonly file: string;
  /** Every public name with its type and its documentation, in Markdown. */
  readonly text: string;
  /** Public names without documentation. */
  readonly undocumented: readonly string[];
}

/** The reports of all packages in a folder that `pack` filled. */
export function apiReports(folder: string): readonly ApiReport[] {
  return packages.flatMap(({ name, exports }) =>
    Object.entries(exports).map(([key, source]) =>
      apiReport(
        join(folder, stageName(name)),
        `lib/${source.replace(/\.ts$/, '.d.ts')}`,
        `${name}${key.slice(1)}`,
      ),
    ),
  );
}

/**
 * The public names of one entry, from the declarations of a package that was laid out.
 * @param stage - the package's folder
 * @param entry - its declarations, relative to the folder: `lib/charts/index.d.ts`
 * @param name - as it is imported: `meshwright/pulumi`
 * @throws Error with what the compiler or the extractor says of the declarations
 */
function apiReport(stage: string, entry: string, name: string): ApiReport {
  const file = `${name.replace('@', '').replaceAll('/', '-')}.md`;
  const folder = join(stage, '..', 'api');
  mkdirSync(folder, { recursive: true });
  const rollup = join(folder, `${basename(file, '.md')}.d.ts`);
  const messages: ExtractorMessage[] = [];
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: stage,
      mainEntryPointFilePath: join(stage, entry),
      compiler: { overrideTsconfig: { compilerOptions } },
      apiReport: { enabled: false },
      docModel: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      dtsRollup: { enabled: true, untrimmedFilePath: rollup },
      messages: {
        extractorMessageReporting: { 'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(stage, 'package.json'),
  });
  const { succeeded } = Extractor.invoke(config, {
    messageCallback: (message) => {
      message.handled = true;
      messages.push(message);
    },
  });
  const errors = messages.filter(({ logLevel }) => logLevel === ExtractorLogLevel.Error);
  if (!succeeded || errors.length > 0)
    throw new Error(`${name}: ${errors.map(({ text }) => text).join('\n')}`);
  const declared = readFileSync(rollup, 'utf8').trim();
  const head = `# \`${name}\`\n\nEvery name that may be imported from \`${name}\`. Made by \`npm run packages -- --api\`.\n\n`;
  return { file, text: `${head}\`\`\`ts\n${declared}\n\`\`\`\n`, undocumented: undocumentedOf(declared) };
}

/** Exported declarations without a comment in front of them. */
function undocumentedOf(declared: string): readonly string[] {
  const module = ts.createSourceFile('api.d.ts', declared, ts.ScriptTarget.ESNext, true);
  return module.statements
    .filter(
      (statement) =>
        ts.canHaveModifiers(statement) &&
        ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
    )
    .filter((statement) => ts.getJSDocCommentsAndTags(statement).length === 0)
    .map((statement) => statement.getText(module).split('\n')[0] ?? '');
}

const compilerOptions = {
  target: 'es2024',
  lib: ['es2024'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
};
