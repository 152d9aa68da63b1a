import type { Answer, BatchCase } from './case.ts';

export async function recordToHl7(asked: BatchCase): Promise<Answer> {
  return { error: `${asked.path}: whole records are not mapped yet` };
}

export async function recordToFhir(asked: BatchCase): Promise<Answer> {
  return { error: `${asked.path}: whole records are not mapped yet` };
}
