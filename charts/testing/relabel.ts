import type { RelabelRule } from '../monitoring/scrape.ts';

/** The labels of a sample, its name as `__name__`. */
export type Labels = Readonly<Record<string, string>>;

/** Applies rules as Prometheus does; undefined when a rule does not keep the sample. */
export function relabel(labels: Labels, rules: readonly RelabelRule[]): Labels | undefined {
  const result: Record<string, string> = { ...labels };
  for (const rule of rules) {
    const { action = 'replace', source_labels: sources = [], regex = '(.*)', replacement = '$1' } = rule;
    const match = new RegExp(`^(?:${regex})$`, 's').exec(sources.map((name) => result[name] ?? '').join(';'));
    if (action === 'keep' && match === null) return undefined;
    if (match === null || rule.target_label === undefined) continue;
    const value = replacement.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
    result[rule.target_label] = value;
  }
  return result;
}

/** Reads Prometheus' text format: the labels and the value of each sample. */
export function parseMetrics(text: string): readonly (readonly [labels: Labels, value: number])[] {
  return text.split('\n').flatMap((line): (readonly [Labels, number])[] => {
    const [, name, inner = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const labels = [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    return [[{ ...(Object.fromEntries(labels) as Labels), __name__: name }, Number(value)]];
  });
}
