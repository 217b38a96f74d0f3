import { createMemoryIntakeLog } from '../../lib/adapters/memory/intake-log.ts';
import { intakeLogWorld } from '../adapters/aws/intake-log-world.ts';
import { intakeLogContract } from './intake-log.contract.ts';

intakeLogContract('memory', () => {
  const log = createMemoryIntakeLog();
  return () => log;
});

intakeLogContract('dynamodb', () => intakeLogWorld().writer);
