// Bundles the extension into dist/extension.js, or with --tests the unit tests into dist/test/.
import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const shared = { bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' };

if (process.argv.includes('--tests')) {
  rmSync('dist/test', { recursive: true, force: true });
  const entryPoints = readdirSync('test').map((name) => `test/${name}`);
  await build({ ...shared, entryPoints, outdir: 'dist/test', format: 'esm', outExtension: { '.js': '.mjs' } });
} else {
  const minify = process.argv.includes('--minify');
  await build({
    ...shared,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    format: 'cjs',
    external: ['vscode'],
    minify,
    sourcemap: !minify,
    legalComments: 'eof',
  });
}
