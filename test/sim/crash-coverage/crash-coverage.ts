/**
 * Which calls of the protocol's code have been hit by which faults, and which have not.
 *
 * CC1. Hit is what came to be in a run that was right: a crash of who had died before is none, and a zombie is who has been overtaken.
 * CC2. Where a call stands is read off the stack: Node strips types and leaves lines and columns alone.
 */
import { relative } from 'node:path';
import type { CallFault, Fault, FaultSource } from '../../../lib/testing/sim/fault.ts';
import { wantedKindsOf, type Thoroughness } from './fault-kinds.ts';
import type { PortCall } from './port-calls.ts';

export interface CoverageReport {
  readonly calls: number;
  readonly pairs: number;
  readonly hit: number;
  /** 0 to 1. */
  readonly fraction: number;
  /** `lib/runtime/commit.ts commit shards.commit #1 × zombie-before` */
  readonly missing: readonly string[];
}

/** What befalls a call; undefined = what is drawn. */
export interface Wanted {
  readonly isSated: () => boolean;
  readonly at: (call: PortCall, missing: readonly CallFault[], site: string) => CallFault | undefined;
}

export class CrashCoverage {
  readonly #calls: ReadonlyMap<string, PortCall>;
  readonly #thoroughness: Thoroughness;
  readonly #hits = new Map<PortCall, Set<CallFault>>();
  /** Of the run that is going on: where each call stands that has been hit. */
  #places = new Map<string, PortCall>();

  constructor(calls: readonly PortCall[], thoroughness: Thoroughness = 'every kind') {
    this.#thoroughness = thoroughness;
    this.#calls = new Map(calls.map((call) => [call.place, call]));
  }

  /** To be called as a run begins. `wanted` may say what befalls a call; else it is what `faults` says. */
  watch(faults: FaultSource, wanted?: Wanted): FaultSource {
    this.#places = new Map();
    return {
      ...faults,
      at: (site, occurrence) => {
        const drawn = faults.at(site, occurrence);
        if (drawn === undefined && (wanted === undefined || wanted.isSated())) return undefined;
        const call = this.callHere();
        if (call === undefined) return drawn;
        this.#places.set(`${site}#${occurrence}`, call);
        return wanted?.at(call, this.missingOf(call), site) ?? drawn;
      },
    };
  }

  /** The one that is being made; undefined where it is none of the protocol's. */
  callHere(): PortCall | undefined {
    return this.#calls.get(callerPlace());
  }

  /** After a run in which all was right. */
  credit(happened: readonly Fault[]): void {
    for (const { site, occurrence, kind } of happened) {
      const call = this.#places.get(`${site}#${occurrence}`);
      if (call === undefined) continue;
      const hits = this.#hits.get(call) ?? new Set();
      this.#hits.set(call, hits.add(kind as CallFault));
    }
  }

  missingOf(call: PortCall): readonly CallFault[] {
    return this.#missingGroups(call).flat();
  }

  #missingGroups(call: PortCall): readonly (readonly CallFault[])[] {
    const hits = this.#hits.get(call);
    return wantedKindsOf(call, this.#thoroughness).filter((kinds) => !kinds.some((kind) => hits?.has(kind)));
  }

  report(): CoverageReport {
    const calls = [...this.#calls.values()];
    const pairs = calls.reduce((sum, call) => sum + wantedKindsOf(call, this.#thoroughness).length, 0);
    const missing = calls.flatMap((call) => this.#missingGroups(call).map((kinds) => `${call.name} × ${kinds.join(' or ')}`));
    const hit = pairs - missing.length;
    return { calls: calls.length, pairs, hit, fraction: hit / pairs, missing };
  }
}

const root = `${import.meta.dirname}/../../..`;
const simulator = ['lib/testing/sim/', 'test/sim/'];
const framesMax = 8;

/** The code that has called the port: the first frame that is not the simulator's. */
function callerPlace(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = framesMax;
  Error.prepareStackTrace = (_error, frames) => frames;
  const holder: { readonly stack?: unknown } = {};
  Error.captureStackTrace(holder, callerPlace);
  const frames = holder.stack as readonly NodeJS.CallSite[];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  for (const frame of frames) {
    const file = fileOf(frame.getFileName() ?? '');
    if (file !== '' && !simulator.some((prefix) => file.startsWith(prefix)))
      return `${file}:${frame.getLineNumber()}:${frame.getColumnNumber()}`;
  }
  return '';
}

const files = new Map<string, string>();

function fileOf(url: string): string {
  let file = files.get(url);
  if (file === undefined) files.set(url, (file = url.startsWith('file:') ? relative(root, new URL(url).pathname) : ''));
  return file;
}
