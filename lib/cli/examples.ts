/** Shown below the help of each command. */
function lines(...commands: readonly string[]): string {
  return `\nExamples:\n${commands.map((command) => `  $ ${command}\n`).join('')}`;
}

export const examples = {
  program: lines('sluice run job.ts --data-dir data', 'sluice savepoint flights --data-dir data', 'sluice plan job.ts --format mermaid'),
  run: lines(
    'sluice run examples/flights/job.ts --set input=flights.parquet --set output=out --data-dir data',
    'sluice run job.ts --data-dir data              # the same again resumes where it was',
    'sluice run job.ts --from-savepoint data/savepoints/savepoint-1 --parallelism 4',
    'sluice run job.ts -D restart-strategy.type=fixed-delay -D restart-strategy.fixed-delay.attempts=3',
    'sluice run job.ts -D execution.checkpointing.interval=10s -D execution.checkpointing.mode=AT_LEAST_ONCE',
    'sluice run job.ts --port 0 --json              # one JSON object per line, the first one has the port',
  ),
  plan: lines('sluice plan job.ts --set input=flights.parquet', 'sluice plan job.ts --parallelism 4 --format mermaid'),
  sim: lines('sluice sim job.ts --seeds 1000', 'sluice sim job.ts --first-seed 4711 --seeds 1    # one run again'),
  list: lines('sluice list', 'sluice list --data-dir data --json'),
  checkpoint: lines('sluice checkpoint flights', 'sluice checkpoint flights --data-dir data --json'),
  'checkpoint-config': lines(
    'sluice checkpoint-config flights',
    'sluice checkpoint-config flights --interval 30s --tolerable-failed-checkpoints 3',
    'sluice checkpoint-config flights --mode at-least-once --data-dir data',
  ),
  savepoint: lines('sluice savepoint flights', 'sluice savepoint flights backups --data-dir data', 'sluice savepoint flights --detached'),
  stop: lines('sluice stop flights --data-dir data', 'sluice stop flights backups --drain'),
  cancel: lines('sluice cancel flights --data-dir data'),
  'dead-letters': lines(
    'sluice dead-letters flights --data-dir data',
    'sluice dead-letters flights --data-dir data --records > again.ndjson',
  ),
  cost: lines(
    'sluice cost flights --server https://API',
    'sluice cost --from manifests                   # copied from the bucket',
    'sluice cost --print-prices > prices.json       # change it, then: --prices prices.json',
  ),
  audit: lines(
    'sluice audit flights --server https://API-ID.execute-api.eu-west-1.amazonaws.com',
    'sluice audit flights --server https://API-ID.execute-api.eu-west-1.amazonaws.com --verify',
  ),
  restore: lines(
    'sluice restore data/savepoints/savepoint-1 job.ts --dry-run',
    'sluice restore backups/savepoint-1 job.ts --parallelism 4 --data-dir data-2',
  ),
  inspect: lines('sluice inspect data/savepoints/savepoint-1', 'sluice inspect backups/savepoint-1 --json'),
} as const;
