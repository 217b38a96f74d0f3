import { S3Client } from '@aws-sdk/client-s3';
import { createS3SavepointFolders } from '../../../lib/adapters/s3/savepoint-folders.ts';
import { systemRandom } from '../../../lib/adapters/system/random.ts';
import { systemTimers } from '../../../lib/adapters/system/timers.ts';
import type { SavepointFolders } from '../../../lib/ports/savepoint-folder.ts';
import { clientConfig } from './fake-service.ts';
import type { FakeS3 } from './fake-s3.ts';

export function openS3Folders(s3: FakeS3): SavepointFolders {
  return createS3SavepointFolders({ client: new S3Client(clientConfig(s3.service)), timers: systemTimers, random: systemRandom });
}
