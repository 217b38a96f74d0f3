/** How many records the demonstration runs over. */
export const allRecords = 3_000_000;

/** Sources commit tens of thousands of records at a time: with fewer than this the job is over before it can be killed and stopped on its way. */
export const fewestRecords = 500_000;

/** The number that was asked for, all without one; text = what is wrong with it. */
export function demoLimit(text: string | undefined): number | string {
  if (text === undefined) return allRecords;
  const limit = Number(text.replaceAll(/[_,]/g, ''));
  const isInRange = Number.isInteger(limit) && limit >= fewestRecords && limit <= allRecords;
  const [fewest, most] = [fewestRecords, allRecords].map((count) => count.toLocaleString('en-US'));
  return isInRange
    ? limit
    : `--limit ${text}: a whole number from ${fewest} to ${most} is wanted. With fewer records the job is over before it can be killed half-way.`;
}
