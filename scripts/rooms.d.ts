export declare const mayImport: Readonly<Record<string, readonly string[]>>;
export declare function roomOf(path: string): string | undefined;
export declare function isAllowed(from: string, to: string): boolean;
