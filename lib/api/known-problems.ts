/** The problems that several requests can have, word for word as Flink tells them. */
import { handlerProblem, RequestProblem } from './request-problem.ts';

const requestException = 'org.apache.flink.runtime.rest.handler.HandlerRequestException';
const jobNotFound = 'org.apache.flink.runtime.messages.FlinkJobNotFoundException';

export function badParameter(kind: 'path' | 'query', name: string, value: string): RequestProblem {
  const message = `Cannot resolve ${kind} parameter (${name}) from value "${value}".`;
  return handlerProblem(
    400,
    'SLUICE-API-REQUEST',
    `Bad request, could not parse parameters: ${message}`,
    `${requestException}: ${message}`,
  );
}

export function unknownJob(job: string): RequestProblem {
  const text = `org.apache.flink.runtime.rest.NotFoundException: Job ${job} not found\nCaused by: ${jobNotFoundText(job)}\n`;
  return new RequestProblem(404, 'SLUICE-JOB-UNKNOWN', [text]);
}

export function jobNotFoundText(job: string): string {
  return `${jobNotFound}: Could not find Flink job (${job})`;
}
