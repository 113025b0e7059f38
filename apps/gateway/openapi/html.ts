/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Part = Html | string | number | undefined | readonly Part[];

/** Makes HTML; texts in it are escaped, also for attributes in double quotes. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(
    strings.map((text, index) => (index === 0 ? text : written(parts[index - 1]) + text)).join(''),
  );
}

function written(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(written).join('');
  return String(part).replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A text of paragraphs, with code between backticks. */
export function prose(text: string | undefined): Html[] {
  if (text === undefined) return [];
  return text.split('\n\n').map((paragraph) => {
    const parts = paragraph.split('`');
    return markup`<p>${parts.map((part, index) => (index % 2 === 1 ? markup`<code>${part}</code>` : part))}</p>`;
  });
}
