/** `sluice dead-letters`: what the operators of a job have set aside, of one that runs or of a data directory at rest. */
import { resolve } from 'node:path';
import { silentLogger } from '../../adapters/system/logger.ts';
import { errorCode } from '../../base/errors.ts';
import { deadLettersAtRest } from '../../local/dead-letters-at-rest.ts';
import type { DeadLetter } from '../../model/dead-letter.ts';
import { encodeValue } from '../../model/value-json.ts';
import { counted } from '../amounts.ts';
import type { CliIo } from '../cli-io.ts';
import { exitCodes } from '../exit-codes.ts';
import { findJob } from '../find-job.ts';
import { findServer, type ServerOptions } from '../find-server.ts';
import { plainLine } from '../plain-line.ts';

export interface DeadLettersOptions extends ServerOptions {
  readonly json: boolean;
  /** Only the records, one a line: what a source can read again. */
  readonly records: boolean;
  readonly operator?: string;
}

export async function deadLetters(io: CliIo, job: string, options: DeadLettersOptions): Promise<number> {
  const letters = (await lettersOf(io, job, options)).filter(
    ({ operator }) => options.operator === undefined || operator === options.operator,
  );
  if (options.records) for (const { record } of letters.filter((letter) => 'record' in letter)) io.out(`${JSON.stringify(record)}\n`);
  else if (options.json) for (const letter of letters) io.out(`${JSON.stringify(letter)}\n`);
  else if (letters.length === 0) io.out('no dead letters\n');
  else io.out(`${letters.map(letterText).join('\n')}\n${counted(letters.length, 'dead letter')}\n`);
  return exitCodes.done;
}

const shownMax = 1_000_000;

/** As the API writes them: what plain JSON cannot hold stands there as in savepoints. */
async function lettersOf(io: CliIo, job: string, options: DeadLettersOptions): Promise<readonly DeadLetter[]> {
  try {
    const client = await findServer(io, options);
    const path = `/jobs/${await findJob(client, job)}/dead-letters?max=${shownMax}`;
    return (await client.get<{ readonly 'dead-letters': readonly DeadLetter[] }>(path))['dead-letters'];
  } catch (error) {
    const isAtRest = ['SLUICE-SERVER-UNREACHABLE', 'SLUICE-SERVER-FILE'].includes(errorCode(error) ?? '');
    if (!isAtRest || options.dataDir === undefined || options.server !== undefined) throw error;
    const { clock, timers, random } = io;
    const letters = await deadLettersAtRest(resolve(io.folder, options.dataDir), job, { clock, timers, random, logger: silentLogger });
    if (letters === undefined) throw error;
    return letters.map((letter) => JSON.parse(encodeValue(letter)) as DeadLetter);
  }
}

function letterText({ operator, shard, code, message, failedAtMs, place, key, record }: DeadLetter): string {
  const { kind: _kind, ...where } = place;
  const facts = Object.entries({ ...(key === null ? {} : { key }), ...where }).map(([name, fact]) => `${name} ${textOf(fact)}`);
  const what = place.kind === 'timer' ? [] : [`  record: ${textOf(record)}`];
  return [
    `${new Date(failedAtMs).toISOString()}  ${operator}, shard ${shard}: ${code}: ${plainLine(message)}`,
    `  ${place.kind === 'timer' ? 'timer' : 'at'}: ${facts.join(', ')}`,
    ...what,
    '',
  ].join('\n');
}

function textOf(fact: unknown): string {
  return plainLine(typeof fact === 'string' ? fact : (JSON.stringify(fact) ?? 'undefined').slice(0, 1_000));
}
