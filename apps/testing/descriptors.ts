import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescService } from '@bufbuild/protobuf';
import { comments } from '../../gen/comments.js';
import { descriptorSet } from '../config/descriptors/descriptor-set.ts';

/** A file with the descriptors of services and the comments of their protos, for a gateway's DESCRIPTORS. */
export function descriptorsFile(services: Iterable<DescService>): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'meshwright-descriptors-'));
  const path = join(folder, 'descriptors.binpb');
  writeFileSync(path, descriptorSet(services, comments).bytes);
  return {
    path,
    remove: () => {
      rmSync(folder, { recursive: true });
    },
  };
}
