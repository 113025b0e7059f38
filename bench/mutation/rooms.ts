/** Folders and files that decide who may call, who is trusted and what is removed. */
export const rooms = [
  'charts/constructs/access',
  'charts/constructs/edge/edge-access.ts',
  'charts/constructs/edge/jwt.ts',
  'charts/constructs/edge/jwt-rules.ts',
  'charts/constructs/edge/claim-names.ts',
  'charts/gates',
  'infra/apply',
  'infra/remote',
  'infra/trust',
] as const;

export type Room = (typeof rooms)[number];

export function roomOf(file: string): Room | undefined {
  return rooms.find((room) => file === room || file.startsWith(`${room}/`));
}

/** The sources of rooms, without their tests and golden files. */
export function sourcesOf(files: readonly string[], wanted: readonly Room[]): string[] {
  return files.filter((file) => {
    const room = roomOf(file);
    return (
      room !== undefined && wanted.includes(room) && file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file)
    );
  });
}
