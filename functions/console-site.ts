/** Lambda: puts the console's page, which is beside this module, into its bucket, as a custom resource of CloudFormation. */
import { fileURLToPath } from 'node:url';
import { createS3Client } from '../lib/adapters/aws-sdk/s3-client.ts';
import { answerCloudFormation, type CustomResourceEvent } from '../lib/adapters/lambda/custom-resource.ts';
import { publishSite, removeSite } from '../lib/adapters/s3/publish-site.ts';
import { systemClock as clock } from '../lib/adapters/system/clock.ts';
import { systemRandom as random } from '../lib/adapters/system/random.ts';
import { systemTimers as timers } from '../lib/adapters/system/timers.ts';
import { wantedVariable } from './job-environment.ts';

interface Properties {
  /** Of the page's `config.json`. */
  readonly config: Readonly<Record<string, string>>;
}

const folder = fileURLToPath(new URL('./site/', import.meta.url));

export const handler = (event: CustomResourceEvent<Properties>): Promise<void> =>
  answerCloudFormation(event, async () => {
    const [bucket, account, prefix] = ['SLUICE_BUCKET', 'SLUICE_ACCOUNT', 'SLUICE_PREFIX'].map((name) => wantedVariable(name)) as [string, string, string]; // prettier-ignore
    const access = { client: createS3Client({ owned: { bucket, account } }), random, timers, clock };
    if (event.RequestType === 'Delete') await removeSite(access, { bucket, prefix });
    else await publishSite(access, { bucket, prefix, folder, config: event.ResourceProperties.config });
  });
