import { referenceOf } from './spec.ts';
import type { ImageSpec } from './spec.ts';

/** Folder beside the Containerfile with all files of the image's own, laid out as in the image. */
export const stagedRoot = 'rootfs';

/** The Containerfile of an image whose files are staged in {@link stagedRoot}; it runs no program. */
export function renderContainerfile(hub: string, image: ImageSpec): string {
  const lines = [
    `FROM ${image.base === undefined ? 'scratch' : referenceOf(hub, image.base)}`,
    `COPY ${stagedRoot}/ /`,
    ...Object.entries(image.labels ?? {}).map(([name, value]) => `LABEL ${name}=${quote(value)}`),
    ...Object.entries(image.environment ?? {}).map(([name, value]) => `ENV ${name}=${quote(value)}`),
    ...(image.ports ?? []).map((port) => `EXPOSE ${port}/tcp`),
  ];
  if (image.workingDirectory !== undefined) lines.push(`WORKDIR ${image.workingDirectory}`);
  if (image.user !== undefined) lines.push(`USER ${image.user}`);
  if (image.entrypoint !== undefined) lines.push(`ENTRYPOINT ${JSON.stringify(image.entrypoint)}`);
  if (image.command !== undefined) lines.push(`CMD ${JSON.stringify(image.command)}`);
  return `${lines.join('\n')}\n`;
}

/** A value in double quotes, where a backslash, a quote and a variable's dollar sign would have a meaning. */
function quote(value: string): string {
  const oneLine = value.replaceAll(/\s*\n\s*/g, ' ').trim();
  return `"${oneLine.replaceAll(/["\\$]/g, (special) => `\\${special}`)}"`;
}
