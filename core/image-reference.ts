/** An image reference, in its parts. */
export interface ImageReference {
  /** Host with or without a port: `registry.example:5000`. @default - none is named */
  readonly registry?: string;
  /** Repository without its registry: `shop/cart`. */
  readonly path: string;
  readonly tag?: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest?: string;
}

// The grammar of https://github.com/distribution/reference (reference.go), of digests SHA-256 alone, which registries serve.
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registry = String.raw`(?:${label}(?:\.${label})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const grammar = new RegExp(
  String.raw`^(?:(?<registry>${registry})/)?(?<path>${component}(?:/${component})*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$`,
);
/** Of repository and registry, as that grammar has it. */
const longestName = 255;

/**
 * Reads an image reference, `[REGISTRY/]PATH[:TAG][@sha256:DIGEST]`; undefined for what is none. The first part is a registry when
 * it can be a host name: with a dot, a colon or a capital in it, or `localhost`.
 */
export function parseImageReference(text: unknown): ImageReference | undefined {
  if (typeof text !== 'string') return undefined;
  const groups = grammar.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { registry: first, path = '', tag, digest } = groups;
  const isRegistry = first !== undefined && (/[.:A-Z]/.test(first) || first === 'localhost');
  const whole = first === undefined || isRegistry ? path : `${first}/${path}`;
  if (!isPath.test(whole) || (isRegistry ? first.length + 1 : 0) + whole.length > longestName)
    return undefined;
  return {
    ...(isRegistry && { registry: first }),
    path: whole,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

/** A first part that is no registry has to be one of a path. */
const isPath = new RegExp(`^${component}(?:/${component})*$`);

/** Tags whose content changes: words, and versions that are moved to the newest patch. Longer numbers are builds or dates. */
export const movingTag = /^([a-z_-]+|v?\d{1,4}(\.\d{1,3})?)$/i;

/** What {@link imageProblem} accepts, in words for an error's `allowed`. */
export const imageRule =
  'NAME:TAG or NAME@sha256:DIGEST, with or without a registry; a tag that is never moved';

/** What is wrong with a reference that pods are to run for good; undefined for a sound one. */
export function imageProblem(image: unknown): string | undefined {
  const parsed = parseImageReference(image);
  if (parsed === undefined) return 'is not an image reference';
  const { tag, digest } = parsed;
  if (digest !== undefined) return undefined;
  if (tag === undefined) return 'the image has no tag';
  return movingTag.test(tag) ? `the tag ${tag} may be moved to another image` : undefined;
}

/** The whole reference of an image: of a registry that it names, else of the hub. */
export function imageAt(hub: string, image: string): string {
  return parseImageReference(image)?.registry === undefined ? `${hub}/${image}` : image;
}
