/** A decimal number as JSON writes it, in the parts that make it an integer. */
const decimal = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/;
const json = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** More digits than any 64-bit integer has. */
const mostDigits = 20;

/**
 * The exact integer a JSON number stands for, `1e3` and `1.0` among them. Its size does not follow an exponent's.
 * @returns undefined when the text is no number, or one with a fraction; 'range' when it is far too large
 */
export function parseInteger(text: string): bigint | 'range' | undefined {
  if (!json.test(text)) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimal.exec(text) ?? [];
  const all = (whole + fraction).replace(/^0+/, '');
  if (all === '') return 0n;
  const digits = all.slice(0, lastNonZero(all) + 1);
  const zeros = Number(exponent) - fraction.length + (all.length - digits.length);
  if (zeros < 0) return undefined;
  if (digits.length + zeros > mostDigits) return 'range';
  return BigInt(`${sign}${digits}${'0'.repeat(zeros)}`);
}

function lastNonZero(digits: string): number {
  let index = digits.length - 1;
  while (digits[index] === '0') index -= 1;
  return index;
}

/** @returns undefined when the text is no number as JSON writes it, nor one of `NaN`, `Infinity`, `-Infinity` */
export function parseDouble(text: string): number | undefined {
  if (json.test(text)) return Number(text);
  return text === 'NaN' || text === 'Infinity' || text === '-Infinity' ? Number(text) : undefined;
}
