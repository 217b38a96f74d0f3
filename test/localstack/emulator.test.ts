import { describe, expect, test, vi } from 'vitest';
import { emulatorAt, plainEnvironment } from '../../localstack/emulator.ts';
import { requestCounts } from '../../localstack/observe.ts';
import { connectTo } from '../../localstack/server.ts';
import { missing, openEmulator } from '../deployed/available.ts';
import { SluiceError } from '../../lib/base/errors.ts';

const noSuchServer = 'http://127.0.0.1:9';
const failed = (code: string) => new SluiceError(code, 'it is not there', { hint: 'Install it.' });

describe('an emulator', () => {
  test.each([
    'https://sqs.eu-west-1.amazonaws.com',
    'https://s3.cn-north-1.amazonaws.com.cn',
    'https://lambda.us-east-1.api.aws',
    'ftp://127.0.0.1',
    'x',
  ])('is never AWS itself: %s is refused', (endpoint) => {
    expect(() => emulatorAt(endpoint)).toThrow(expect.objectContaining({ code: 'SLUICE-LOCALSTACK-ENDPOINT' }) as Error);
  });

  test('is reached with credentials of its own, whatever the caller has', () => {
    vi.stubEnv('AWS_PROFILE', 'production');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAREAL');
    vi.stubEnv('CDK_DEFAULT_ACCOUNT', '123456789012');
    const { environment } = emulatorAt('http://127.0.0.1:4566/');
    expect(environment).toMatchObject({ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ACCESS_KEY_ID: 'test' });
    expect(Object.keys(plainEnvironment()).filter((name) => /^(?:AWS|CDK|VITEST)/.test(name))).toEqual([]);
    expect(plainEnvironment().PATH).toBe(process.env.PATH);
  });

  test('that is named and does not answer is an error, not a reason to skip', async () => {
    await expect(connectTo(noSuchServer)).rejects.toMatchObject({ code: 'SLUICE-LOCALSTACK-UNREACHABLE' });
    await expect(openEmulator({}, { AWS_ENDPOINT_URL: noSuchServer })).rejects.toMatchObject({ code: 'SLUICE-LOCALSTACK-UNREACHABLE' });
  });

  test('that is not ours tells no counts', async () => {
    await expect(requestCounts(emulatorAt(noSuchServer))).rejects.toMatchObject({ code: 'SLUICE-LOCALSTACK-NOT-OURS' });
  });
});

describe('deployed tests', () => {
  test('are skipped where Python or its packages are missing, with the reason', () => {
    expect(missing(failed('SLUICE-LOCALSTACK-PYTHON'), {}, undefined)).toEqual({
      why: 'deployed tests: it is not there',
      isFailure: false,
    });
    expect(missing(failed('SLUICE-LOCALSTACK-PACKAGES'), {}, 'python3').isFailure).toBe(false);
  });

  test('fail instead on a build machine that has Python', () => {
    expect(missing(failed('SLUICE-LOCALSTACK-PACKAGES'), { CI: 'true' }, 'python3').isFailure).toBe(true);
    expect(missing(failed('SLUICE-LOCALSTACK-PYTHON'), { CI: 'true' }, undefined).isFailure).toBe(false);
  });

  test('fail where the emulator itself is broken', () => {
    expect(() => missing(failed('SLUICE-LOCALSTACK-START'), {}, 'python3')).toThrow('it is not there');
  });
});
