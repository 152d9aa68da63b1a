/** `npm run test:broker`: the tests that need a real broker, RabbitMQ from the system's packages. The last line is `N passed, N failed`. */
import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { RABBITMQ } from '../src/spine/adaptor/broker-testing.ts';

if (!existsSync(RABBITMQ)) {
  console.error(`There is no ${RABBITMQ}. Install it: apt-get install rabbitmq-server`);
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const child = spawn(
  process.execPath,
  ['--test', '--test-concurrency=2', '--test-reporter=spec', ...globSync('src/**/*.broker.ts').sort()],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
let text = '';
child.stdout.on('data', (data: Buffer) => {
  process.stdout.write(data);
  text += data.toString('utf8');
});
const code = await new Promise<number>((done) => child.once('exit', (exit) => done(exit ?? 1)));
const count = (word: string): number => Number(new RegExp(`ℹ ${word} (\\d+)`).exec(text)?.[1] ?? Number.NaN);
console.log(`${count('pass')} passed, ${count('fail') + count('cancelled')} failed`);
process.exitCode = code || (count('pass') > 0 ? 0 : 1);
