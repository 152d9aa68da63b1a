import type { Answer, BatchCase } from './case.ts';

export async function largeMessage(asked: BatchCase): Promise<Answer> {
  return { error: `${asked.path}: messages of several parts are not assembled yet` };
}
