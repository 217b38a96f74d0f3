/** Hunts the mutants that it is told of, one after the other: which is switched on is a matter of a whole thread, and so are the limits. */
import { parentPort, workerData } from 'node:worker_threads';
import type { MutantName } from '../lib/base/mutated.ts';
import { huntMutant, type HuntOptions } from '../test/sim/hunt-mutant.ts';

parentPort!.on('message', (name: MutantName) => {
  void huntMutant(name, workerData as HuntOptions).then((found) => parentPort!.postMessage(found));
});
