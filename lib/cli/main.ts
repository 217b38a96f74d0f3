/**
 * The command line: which commands and options there are. What a command does is in commands/, loaded only when it is called, because a command that
 * only prints its help should not wait for an engine.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { SluiceError } from '../base/errors.ts';
import type { AuditHead } from '../model/audit-record.ts';
import type { CliIo } from './cli-io.ts';
import { examples } from './examples.ts';
import { exitCodes } from './exit-codes.ts';
import { collectDefinition, collectParameter } from './parameters-option.ts';
import { packageVersion } from './version.ts';

/** Runs one command line. The result is the exit code; whatever goes wrong has been reported. */
export async function main(args: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = exitCodes.done;
  const finish = (code: number): void => void (exitCode = code);
  try {
    await createProgram(io, finish).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    // No command: commander has printed its help.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage;
    const { reportError } = await import('./report-error.ts');
    const problem = error instanceof CommanderError ? usageError(error, args) : error;
    reportError(io, problem, args.includes('--json'));
    return (problem as { readonly code?: unknown }).code === 'SLUICE-USAGE' ? exitCodes.usage : exitCodes.failed;
  }
}

function createProgram(io: CliIo, finish: (exitCode: number) => void): Command {
  const program = new Command('sluice')
    .description('Stateful stream processing: runs jobs on this machine and talks to jobs that run.')
    .version(packageVersion(), '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ optionDescription: describeOption })
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => undefined })
    .addHelpText('after', examples.program);
  addRunCommands(program, io, finish);
  addControlCommands(program, io, finish);
  addCheckpointCommands(program, io, finish);
  addDeadLetterCommand(program, io, finish);
  addCostCommand(program, io, finish);
  addAuditCommand(program, io, finish);
  addSavepointCommands(program, io, finish);
  return program;
}

/** A default is said where it says something: no `false`, and no quotes around text. */
function describeOption({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const standard = defaultValueDescription ?? (defaultValue as unknown);
  const facts = [
    ...(argChoices === undefined ? [] : [argChoices.join(', ')]),
    ...(typeof standard === 'string' || typeof standard === 'number' ? [`default: ${standard}`] : []),
  ];
  return facts.length === 0 ? description : `${description} (${facts.join('; ')})`;
}

type Finish = (exitCode: number) => void;

function addRunCommands(program: Command, io: CliIo, finish: Finish): void {
  withRunOptions(program.command('run <job-file>'))
    .description('run a job here until its input ends, and resume it from its data directory')
    .option('--from-savepoint <path>', 'start from a savepoint or a retained checkpoint', somePath)
    .option('--allow-non-restored-state', 'drop state of operators that the job no longer has', false)
    .addHelpText('after', examples.run)
    .action(async (path: string, options) => {
      const { run } = await import('./commands/run.ts');
      finish(await run(io, path, options as never));
    });

  withJobOptions(program.command('plan <job-file>'))
    .description('print the plan of a job without running it')
    .addOption(new Option('--format <format>', 'how to print it').choices(['text', 'json', 'mermaid']).default('text'))
    .addHelpText('after', examples.plan)
    .action(async (path: string, options) => {
      const { plan } = await import('./commands/plan.ts');
      finish(await plan(io, path, options as never));
    });

  program
    .command('sim <job-file>')
    .description('run a job many times under crashes, restores and rescaling, and compare its results')
    .option('--set <name=value>', 'a parameter of the job; may be repeated', collectParameter, {})
    .option('--seeds <n>', 'how many runs', positiveInteger, 100)
    .option('--first-seed <n>', 'the seed of the first; a seed is always the same run', positiveInteger, 1)
    .option('--records <n>', 'records of each split that are read, at most', positiveInteger, 100)
    .addOption(
      new Option('--mode <modes>', 'how barriers go: some of aligned, unaligned, at-least-once; drawn for each run')
        .argParser(simulatedModes)
        .default(['aligned', 'unaligned'], 'aligned,unaligned'),
    )
    .option('--keep-going', 'do not end at the first run that breaks a promise', false)
    .option('--no-shrink', 'tell such a run as it was, not with the fewest faults that do')
    .option('--json', 'print JSON', false)
    .addHelpText('after', examples.sim)
    .action(async (path: string, options) => {
      const { sim } = await import('./commands/sim.ts');
      finish(await sim(io, path, options as never));
    });
}

function addControlCommands(program: Command, io: CliIo, finish: Finish): void {
  withServerOptions(program.command('list'))
    .description('list the jobs of a server')
    .addHelpText('after', examples.list)
    .action(async (options) => {
      const { list } = await import('./commands/list.ts');
      finish(await list(io, options as never));
    });

  withServerOptions(program.command('savepoint <job> [directory]'))
    .description('write a savepoint of a running job, which runs on')
    .option('--detached', 'do not wait for it', false)
    .addHelpText('after', examples.savepoint)
    .action(async (job: string, directory: string | undefined, options) => {
      const { savepoint } = await import('./commands/savepoint.ts');
      finish(await savepoint(io, job, directory, options as never));
    });

  withServerOptions(program.command('stop <job> [directory]'))
    .description('stop a job with a savepoint')
    .option('--drain', 'end the input as if there were no more: windows close, the job cannot go on from here', false)
    .addHelpText('after', examples.stop)
    .action(async (job: string, directory: string | undefined, options) => {
      const { stop } = await import('./commands/stop.ts');
      finish(await stop(io, job, directory, options as never));
    });

  withServerOptions(program.command('cancel <job>'))
    .description('end a job without a savepoint')
    .addHelpText('after', examples.cancel)
    .action(async (job: string, options) => {
      const { cancel } = await import('./commands/cancel.ts');
      finish(await cancel(io, job, options as never));
    });
}

function addCheckpointCommands(program: Command, io: CliIo, finish: Finish): void {
  withServerOptions(program.command('checkpoint <job>'))
    .description('take a checkpoint of a running job now')
    .option('--detached', 'do not wait for it', false)
    .addHelpText('after', examples.checkpoint)
    .action(async (job: string, options) => {
      const { checkpoint } = await import('./commands/checkpoint.ts');
      finish(await checkpoint(io, job, options as never));
    });

  withServerOptions(program.command('checkpoint-config <job>'))
    .description('show the checkpoint options of a running job, or change them from its next checkpoint on')
    .option('--interval <duration>', 'from one checkpoint to the next')
    .addOption(new Option('--mode <mode>', 'guarantee of the state').choices([...modes]))
    .option('--timeout <duration>', 'what takes longer is aborted')
    .option('--min-pause <duration>', 'from the end of one to the start of the next')
    .option('--max-concurrent-checkpoints <n>', 'at a time', positiveInteger)
    .option('--tolerable-failed-checkpoints <n>', 'failures in a row that are borne', wholeNumber)
    .option('--num-retained <n>', 'completed ones that are kept', positiveInteger)
    .option('--unaligned', 'barriers overtake records in flight')
    .option('--no-unaligned', 'they do not')
    .option('--aligned-timeout <duration>', 'so long unaligned checkpoints wait for alignment first')
    .addHelpText('after', examples['checkpoint-config'])
    .action(async (job: string, options) => {
      const { checkpointConfig } = await import('./commands/checkpoint-config.ts');
      finish(await checkpointConfig(io, job, options as never));
    });
}

function addDeadLetterCommand(program: Command, io: CliIo, finish: Finish): void {
  withServerOptions(program.command('dead-letters <job>'))
    .description('show the records that operators have set aside, of a job that runs or of a data directory at rest')
    .option('--operator <uid>', 'only those of one operator')
    .option('--records', 'print only the records, one a line, for a source to read again', false)
    .addHelpText('after', examples['dead-letters'])
    .action(async (job: string, options) => {
      const { deadLetters } = await import('./commands/dead-letters.ts');
      finish(await deadLetters(io, job, options as never));
    });
}

function addCostCommand(program: Command, io: CliIo, finish: Finish): void {
  withServerOptions(program.command('cost [job]'))
    .description('what a job on AWS costs: per million events, per checkpoint, and in a month in which nothing comes')
    .option('--from <path>', 'from a manifest, a folder of manifests or a savepoint, without a server', somePath)
    .option('--prices <file>', 'a price table instead of the one built in, or what of it differs', somePath)
    .option('--region <region>', 'whose prices (default: us-east-1, the only ones built in)')
    .option('--state-gb <n>', 'size of the keyed state, for the month (default: what stands in deltas)', gigabytes)
    .option('--print-prices', 'print the price table and nothing else', false)
    .addHelpText('after', examples.cost)
    .action(async (job: string | undefined, options) => {
      const { cost } = await import('./commands/cost.ts');
      finish(await cost(io, job, options as never));
    });
}

function addAuditCommand(program: Command, io: CliIo, finish: Finish): void {
  withServerOptions(program.command('audit <job>'))
    .description('show who has changed a deployed job, or verify that no record of it was edited or removed (--verify)')
    .option('--verify', 'check the chain of the records, and name the first that is not as it was written', false)
    .option('--anchor <number:hash>', 'of a record, from the log of the function; may be repeated', anAnchor, [])
    .addHelpText('after', examples.audit)
    .action(async (job: string, options) => {
      const { audit } = await import('./commands/audit.ts');
      finish(await audit(io, job, options as never));
    });
}

function addSavepointCommands(program: Command, io: CliIo, finish: Finish): void {
  withRunOptions(program.command('restore <savepoint> <job-file>'))
    .description('run a job from a savepoint, or only check whether it could (--dry-run)')
    .option('--dry-run', 'check everything and change nothing', false)
    .option('--allow-non-restored-state', 'drop state of operators that the job no longer has', false)
    .addHelpText('after', examples.restore)
    .action(async (savepoint: string, path: string, options: { readonly dryRun: boolean }) => {
      if (options.dryRun) {
        const { checkRestore } = await import('./commands/check-restore.ts');
        return finish(await checkRestore(io, savepoint, path, options as never));
      }
      const { run } = await import('./commands/run.ts');
      finish(await run(io, path, { ...(options as never as object), fromSavepoint: savepoint } as never));
    });

  program
    .command('inspect <savepoint>')
    .description('show what is in a savepoint, and whether it is whole')
    .option('--samples <n>', 'rows of every state to show', positiveInteger, 3)
    .option('--json', 'print JSON', false)
    .addHelpText('after', examples.inspect)
    .action(async (savepoint: string, options) => {
      const { inspect } = await import('./commands/inspect.ts');
      finish(await inspect(io, savepoint, options as never));
    });
}

/** What makes a plan out of a job file. */
function withJobOptions(command: Command): Command {
  return command
    .option('--set <name=value>', 'a parameter of the job; may be repeated', collectParameter, {})
    .option('--parallelism <n>', 'shards of every keyed operator that does not say otherwise', positiveInteger)
    .option('--max-parallelism <n>', 'key groups: the parallelism that can ever be reached', positiveInteger)
    .option('--json', 'print JSON', false);
}

function withRunOptions(command: Command): Command {
  return withJobOptions(command)
    .option('--data-dir <folder>', 'keep everything there, and go on from it the next time (default: in memory)', somePath)
    .option('--checkpoint-interval <duration>', "from one checkpoint to the next (default: the job's, 1s)")
    .addOption(new Option('--checkpoint-mode <mode>', 'guarantee of the state').choices([...modes]))
    .option('--checkpoint-timeout <duration>', "what takes longer is aborted (default: the job's, 10min)")
    .option('--checkpoint-min-pause <duration>', "from the end of one to the start of the next (default: the job's, 0ms)")
    .option('--max-concurrent-checkpoints <n>', "at a time (default: the job's, 1)", positiveInteger)
    .option('--tolerable-failed-checkpoints <n>', "failures in a row that are borne (default: the job's, 0)", wholeNumber)
    .option('--num-retained <n>', "completed ones that are kept (default: the job's, 1)", positiveInteger)
    .addOption(new Option('--externalized-checkpoint-retention <what>', 'checkpoints of a canceled job').choices([...retentions]))
    .option('--unaligned-checkpoints', "barriers overtake records in flight, which become part of the checkpoint (default: the job's, no)")
    .option('--no-unaligned-checkpoints', 'they do not, whatever the job says')
    .option('--aligned-checkpoint-timeout <duration>', "so long unaligned checkpoints wait for alignment first (default: the job's, 0ms)")
    .option(
      '-D, --define <option=value>',
      'an option of the job by its name in Flink, such as restart-strategy.type=none; may be repeated',
      collectDefinition,
      {},
    )
    .option('--savepoint-dir <folder>', 'where savepoints go that name no directory (default: savepoints in the data directory)', somePath)
    .option('--port <n>', 'of the HTTP API; the next free one where it is taken, 0 = any', portNumber, 8_081)
    .option('--verbose', 'log what happens, not only what is wrong', false);
}

const modes = ['exactly-once', 'at-least-once'] as const;
const retentions = ['delete-on-cancellation', 'retain-on-cancellation'] as const;

function withServerOptions(command: Command): Command {
  return command
    .option('--server <url>', 'where the job runs (default: http://127.0.0.1:8081)')
    .option('--data-dir <folder>', 'find the server by the data directory of its run', somePath)
    .option('--json', 'print JSON', false);
}

/** An empty one is a variable of a shell that is not set; it would mean the current folder. */
function somePath(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('A path is wanted.');
}

function positiveInteger(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number from 1 to 999999999 is wanted.');
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A whole number from 0 to 999999999 is wanted.');
}

function gigabytes(text: string): number {
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A number of gigabytes is wanted.');
}

function portNumber(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('A number from 0 to 65535 is wanted.');
}

const simulated = ['aligned', 'unaligned', 'at-least-once'];

function simulatedModes(text: string): readonly string[] {
  const chosen = text.split(',').map((mode) => mode.trim());
  if (chosen.every((mode) => simulated.includes(mode))) return chosen;
  throw new InvalidArgumentError(`Some of ${simulated.join(', ')} are wanted, with commas between them.`);
}

function anAnchor(text: string, before: readonly AuditHead[]): readonly AuditHead[] {
  const [, number, hash] = /^([1-9]\d{0,11}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (number !== undefined && hash !== undefined) return [...before, { number: Number(number), hash }];
  throw new InvalidArgumentError('The number of a record and its hash are wanted, as 12:HASH.');
}

function usageError({ message }: CommanderError, [command = '']: readonly string[]): SluiceError {
  const known = Object.hasOwn(examples, command) && command !== 'program' ? `sluice ${command} --help` : 'sluice --help';
  return new SluiceError('SLUICE-USAGE', message.replace(/^error: /, '').replace('\n', ' '), { hint: `\`${known}\` shows what it takes.` });
}
