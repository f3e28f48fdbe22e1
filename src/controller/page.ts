// The page's files, read once at the start: what was not in the folder then cannot be asked for.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the checkout, from dist/src/controller. */
export const PAGE_FOLDER: string = fileURLToPath(
  new URL('../../../src/controller/page', import.meta.url),
);

export const INDEX = 'index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

/** Sent with every answer: nothing from elsewhere, nothing inline, in nobody's frame. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

/** By path within the folder, as `page.js`. Files of types that a page does not need are left out. */
export function readPage(folder: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const digest = createHash('sha256').update(bytes).digest('base64url');
    files.set(path.slice(folder.length + 1), { type, etag: `"${digest}"`, bytes });
  }
  return files;
}
