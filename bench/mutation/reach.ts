/**
 * How far the test files are that import a source: 1 for those that import it themselves, one more for each file between.
 * @param graph - see importers
 */
export function testsNear(
  file: string,
  graph: ReadonlyMap<string, ReadonlySet<string>>,
): ReadonlyMap<string, number> {
  const distances = new Map([[file, 0]]);
  // A map that grows while it is walked is walked to its end, the nearest first.
  for (const [reached, distance] of distances)
    for (const importer of graph.get(reached) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1);
  return new Map([...distances].filter(([path]) => path.endsWith('.test.ts')));
}
