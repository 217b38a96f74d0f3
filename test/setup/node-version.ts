/** Before any test: Sluice runs on Node 24 only, and on an older one the tests would fail in many strange ways instead of one clear one. */
const nodeMajorMin = 24;

export function unsupportedNode(version: string): string | undefined {
  const major = Number(version.split('.')[0]);
  if (major >= nodeMajorMin) {
    return undefined;
  }
  return (
    `SLUICE-NODE-VERSION: the tests need Node ${nodeMajorMin}, this is ${version}. ` +
    'Run them by `npm test` or `npx vitest run`, which find the Node that `npm ci` installed in node_modules. ' +
    'If it is not there, its install script did not run: run `npm rebuild node --ignore-scripts=false`.'
  );
}

export function setup(): void {
  const problem = unsupportedNode(process.versions.node);
  if (problem !== undefined) {
    throw new Error(problem);
  }
}
