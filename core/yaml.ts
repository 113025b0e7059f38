import { Document, isScalar, Scalar, visit } from 'yaml';

/**
 * A value as YAML that readers of 1.1, of 1.2 and Kubernetes' own (sigs.k8s.io/yaml, whose numbers are Go's) read alike. A
 * writer for 1.1 leaves texts such as `0o027` without quotes, of which the others make numbers; and blocks of text lose the
 * spaces of a line that has nothing else.
 */
export function toYaml(value: unknown): string {
  const document = new Document(value, { version: '1.1', keepUndefined: true, aliasDuplicateObjects: false });
  visit(document, (_, node) => {
    if (!isScalar(node) || typeof node.value !== 'string') return;
    if (isNumber(node.value) || hasBlankLine(node.value)) node.type = Scalar.QUOTE_DOUBLE;
  });
  return document.toString({ lineWidth: 0 });
}

const whole = /^[-+]?(?:0[oO]?[0-7]+|0[bB][01]+|0[xX][\da-fA-F]+|\d+)$/;
const fraction = /^[-+]?(?:(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|\.(?:inf|Inf|INF|nan|NaN|NAN))$/;

/** Whether a text without quotes is a number to one of those readers; Go's takes underscores anywhere. */
function isNumber(text: string): boolean {
  if (!/^[-+._\d]/.test(text)) return false;
  const digits = text.replaceAll('_', '');
  return whole.test(digits) || fraction.test(digits);
}

/** Whether a line of a text of several lines has white space alone. */
function hasBlankLine(text: string): boolean {
  return text.includes('\n') && /^[ \t]+$/m.test(text);
}
