import { parse, parseAllDocuments } from 'yaml';
import type { ExportTree } from '../export/tree.ts';
import type { KubeObject } from '../kube/kube-object.ts';

/** The documents of a YAML file, as a reader of a version of YAML takes them. */
export function documentsIn(yaml: string, version: '1.1' | '1.2' = '1.2'): readonly unknown[] {
  return parseAllDocuments(yaml, { version }).map((document) => (document as { toJS(): unknown }).toJS());
}

/** The objects of a folder as kustomize lists them. */
export function folderOf({ files }: ExportTree, folder: string): readonly KubeObject[] {
  const kustomization = files.get(`${folder}/kustomization.yaml`);
  if (kustomization === undefined) return [];
  const { resources } = parse(kustomization) as { resources: readonly string[] };
  return resources.flatMap(
    (file) => documentsIn(files.get(`${folder}/${file}`) ?? '') as readonly KubeObject[],
  );
}
