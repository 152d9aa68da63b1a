/** A real browser for tests: the Chromium that npm brings, with the libraries that a bare machine lacks. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import chromium, { inflate, setupLambdaEnvironment } from '@sparticuz/chromium';
import { type Browser, chromium as playwright } from 'playwright-core';

/** Why no browser can be had here, or null. The packed Chromium is made for one system only. */
export const noBrowser: string | null =
  process.platform === 'linux' && process.arch === 'x64' ? null : 'the packed Chromium is for Linux on x64';

let unpacked: Promise<string> | null = null;

/** Unpacked once for all tests of a machine: it takes some seconds. */
function unpack(): Promise<string> {
  unpacked ??= (async () => {
    const path = await chromium.executablePath();
    // Left out unless it runs in the cloud it was made for; NSS and its like are missing elsewhere too.
    if (!existsSync(join(tmpdir(), 'al2023')))
      await inflate(join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..', 'bin', 'al2023.tar.br'));
    setupLambdaEnvironment(join(tmpdir(), 'al2023', 'lib'));
    return path;
  })();
  return unpacked;
}

export async function openBrowser(): Promise<Browser> {
  const executablePath = await unpack();
  return playwright.launch({ executablePath, headless: true, args: ['--no-sandbox', '--disable-gpu', '--hide-scrollbars'] });
}
