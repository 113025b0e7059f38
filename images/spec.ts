/** A file of an image. */
export interface ImageFile {
  /** Absolute path in the image. */
  readonly to: string;
  /** A file of this machine, or the content itself. */
  readonly from: { readonly path: string } | { readonly content: string };
  /** @default 0o644 */
  readonly mode?: number;
}

/** The description of an image: its content, and how it runs. */
export interface ImageSpec {
  /** Last part of its reference: `catalog`. */
  readonly name: string;
  readonly tag: string;
  /** Image to start from. @default - nothing: an empty root */
  readonly base?: ImageSpec;
  /** Debian packages whose files it contains. Dependencies are not resolved: list them too. */
  readonly packages?: readonly string[];
  readonly files?: readonly ImageFile[];
  /** Folders to create, and their modes. Parent folders of files need not be listed. */
  readonly folders?: Readonly<Record<string, number>>;
  /** Symbolic links: absolute path in the image, and what it points to. */
  readonly links?: Readonly<Record<string, string>>;
  /** Numeric `user:group`. @default - root, or the base's */
  readonly user?: string;
  readonly entrypoint?: readonly string[];
  /** Default arguments. */
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** TCP ports that it listens on. */
  readonly ports?: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** `hub/name:tag`. */
export function referenceOf(hub: string, image: Pick<ImageSpec, 'name' | 'tag'>): string {
  return `${hub}/${image.name}:${image.tag}`;
}

/** The labels every image has, of the OCI image spec's "Annotations". */
export function imageLabels(title: string, description: string, version: string): Record<string, string> {
  return {
    'org.opencontainers.image.title': title,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
  };
}
