import type { Epoch } from '../base/ids.ts';
import type { JobRecord } from '../model/job-record.ts';

/** Up to here every receiver is past what its senders have sent: at the floor nothing is in flight, unless a barrier has overtaken. */
export function segmentsFloor({ floor, inFlightFrom }: Pick<JobRecord, 'floor' | 'inFlightFrom'>): Epoch {
  return inFlightFrom === undefined ? floor : Math.min(floor, inFlightFrom - 1);
}
