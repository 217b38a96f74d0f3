/** Where the parts of sinks wait that have no place of their own to stage them in: the objects of the job. */
import type { JobId } from '../base/ids.ts';
import { jobPrefix } from './object-keys.ts';

const jobCharacters = 32;

/** `owner`: the job, or the namespace of an import beside it, which begins with the job's id. */
export function sinkPartsPrefix(owner: string): string {
  return `${jobPrefix(owner.slice(0, jobCharacters) as JobId)}sinks/`;
}

/** Exists once all of the part is delivered. */
export function deliveredKey(staged: string): string {
  return `${staged}.delivered`;
}

/** Exists once so many records of the part are delivered. */
export function deliveredUpToKey(staged: string, records: number): string {
  return `${staged}.upto-${records}`;
}

export function deliveredUpTo(key: string): number {
  return Number(/\.upto-(\d+)$/.exec(key)?.[1] ?? 0);
}

/** The checkpoint that a job's own part, or what is noted of it, was staged for; undefined for imported ones and for whatever else it is. `name`: behind the job's prefix. */
export function checkpointOfPart(name: string): number | undefined {
  const checkpoint = /^sinks\/\.[0-9a-f]{32}-[1-9]\d*-.*-(\d+)-\d+-\d+\.staged(?:\.[a-z]+(?:-\d+)?)?$/.exec(name)?.[1];
  return checkpoint === undefined ? undefined : Number(checkpoint);
}
