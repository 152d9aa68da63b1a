/** Builds the package: JavaScript in `dist/`, and beside it the files that the compiler does not carry over. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
for (const file of globSync('src/**/*.sql')) cpSync(file, `dist/${file}`);
