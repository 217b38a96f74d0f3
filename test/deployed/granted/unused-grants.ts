/** Grants that a run of the flights job makes no use of, each with its reason, and where its use is shown. */
export interface Unused {
  readonly roles: readonly string[];
  readonly actions: readonly string[];
  readonly why: string;
  /** The test that shows it. */
  readonly shownBy: string;
  /** Used in some runs, by what the machine's pace makes of them. */
  readonly byChance?: true;
}

export const unusedGrants: readonly Unused[] = [];
