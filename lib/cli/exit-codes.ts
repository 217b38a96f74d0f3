/** Exit codes, as docs/cli.md lists them. Signals follow the shell's custom: 128 + number. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  jobFailed: 3,
  jobCanceled: 4,
  /** A dry run found reasons against the restore. */
  refused: 5,
  SIGINT: 130,
  SIGTERM: 143,
} as const;
