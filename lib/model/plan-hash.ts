/**
 * What a job record says of the code and the plan that its attempt is worked by. Where a deployment gives both, the code comes first: a function then takes
 * whatever plan of its own code the record names, because a restore may change the parallelism, and no other's.
 */
const separator = '.';

export function planHashWithCode(codeDigest: string, planHash: string): string {
  return `${codeDigest}${separator}${planHash}`;
}

/** Of a hash without a code, the hash itself: then only the very plan is taken. */
export function codeOf(planHash: string): string {
  return planHash.split(separator, 1)[0]!;
}
