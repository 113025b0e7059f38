/**
 * A regular expression of the whole numbers from 0 to the greatest, without leading zeros, as alternatives: what JSON has
 * in a string has no `maximum`.
 * @param greatest - in digits
 */
export function upTo(greatest: string): string {
  const any = (count: number) => (count === 0 ? '' : count === 1 ? '[0-9]' : `[0-9]{${count}}`);
  const shorter = greatest.length === 1 ? [] : [`[1-9][0-9]{0,${greatest.length - 2}}`];
  // Of as many digits: the same up to a place, at which one is less.
  const less = Array.from(greatest).flatMap((text, place) => {
    const [least, most] = [place === 0 ? 1 : 0, Number(text) - 1];
    if (most < least) return [];
    const digit = most === least ? String(least) : `[${least}-${most}]`;
    return [greatest.slice(0, place) + digit + any(greatest.length - place - 1)];
  });
  return ['0', ...shorter, ...less, greatest].join('|');
}
