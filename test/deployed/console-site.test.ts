/** The console's page, deployed: filled, shown by CloudFront, exchanged, and removed. */
import { GetObjectCommand, HeadBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { region } from '../../localstack/emulator.ts';
import { describeDeployed } from './deployed.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-console-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function build(version: string): void {
  rmSync(join(folder, 'assets'), { recursive: true, force: true });
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), `<!doctype html><script type="module" src="/assets/main-${version}.js"></script>`);
  writeFileSync(join(folder, 'assets', `main-${version}.js`), `console.log('${version}')`);
}
build('Bx9kQ2fL');

const app = 'node --conditions=sluice-source test/deployed/console-app/app.ts';

describeDeployed('the console’s page', { app, context: { folder }, auth: true }, (deployed) => {
  const s3 = () =>
    new S3Client({
      endpoint: deployed().emulator.endpoint,
      region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      forcePathStyle: true,
    });
  /** As a browser asks the distribution. */
  const load = (
    path: string,
  ): Promise<{ readonly status: number | undefined; readonly headers: IncomingHttpHeaders; readonly body: string }> =>
    new Promise((resolve, reject) => {
      const { emulator, outputs } = deployed();
      const headers = { host: new URL(outputs['Origin']!).host, 'x-forwarded-proto': 'https' };
      get(`${emulator.endpoint}${path}`, { headers }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, headers: response.headers, body }), reject);
      }).on('error', reject);
    });

  test('is shown, with what it loads and where the API is, and browsers are told what it may do', async () => {
    const page = await load('/');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.body).toContain('/assets/main-Bx9kQ2fL.js');
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect((await load('/assets/main-Bx9kQ2fL.js')).body).toBe("console.log('Bx9kQ2fL')");
    expect(JSON.parse((await load('/config.json')).body)).toEqual({ api: deployed().outputs['ApiUrl'], region, authorizer: 'iam' });
  });

  // The emulator says 403 to CloudFront of what is not there, also where it may list. On AWS that is 404, and the page comes: asserted on the template.
  test('does not come in the place of a 403', async () => {
    const kept = await load('/jobs/of-the-page');
    expect(kept.status).toBe(403);
    expect(kept.body).toContain('AccessDenied');
  });

  test('lies in a bucket that answers nobody else', async () => {
    const { emulator, outputs } = deployed();
    expect((await fetch(`${emulator.endpoint}/${outputs['SiteBucket']!}/console/index.html`)).status).toBe(403);
  });

  test('is exchanged by a deployment: what a tab with the page before still asks for is there', { timeout: 120_000 }, async () => {
    build('Zr41mWq0');
    await deployed().deployAgain({});
    const Bucket = deployed().outputs['SiteBucket']!;
    const { CacheControl, ContentType } = await s3().send(new GetObjectCommand({ Bucket, Key: 'console/assets/main-Zr41mWq0.js' }));
    expect([CacheControl, ContentType]).toEqual(['public, max-age=31536000, immutable', 'text/javascript; charset=utf-8']);
    expect((await load('/')).body).toContain('/assets/main-Zr41mWq0.js');
    expect((await load('/assets/main-Bx9kQ2fL.js')).body).toBe("console.log('Bx9kQ2fL')");
  });

  test('goes with its stack', { timeout: 120_000 }, async () => {
    const Bucket = deployed().outputs['SiteBucket']!;
    await deployed().destroy();
    await expect(s3().send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'NotFound' });
  });
});
