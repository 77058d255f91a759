import { loadModel, windowedEmbedder } from 'finetune-embedding';
import { describe, expect, it } from 'vitest';

const TINY = 'test/fixtures/tiny-bert';

describe('windowedEmbedder', async () => {
  const model = await loadModel(TINY, { name: 'tiny' });
  const embedder = windowedEmbedder(model, { size: 6, stride: 4 });
  const long = 'river market winter stone '.repeat(6);

  it('gives a text that fits one window the vector of the whole text', async () => {
    const [windowed, whole] = await Promise.all([embedder.embedDocuments(['river']), model.embedDocuments(['river'])]);
    expect([...windowed.owners]).toEqual([0]);
    expect(windowed.vectors).toEqual(whole.vectors);
  });

  it('covers a long text with as many windows as it takes, and says whose they are', async () => {
    const tokens = model.tokenizer.encodeWhole(long).length;
    const { vectors, owners } = await embedder.embedDocuments(['river', long]);
    const windows = Math.ceil((tokens - 6) / 4) + 1;
    expect(windows).toBeGreaterThan(3);
    expect([...owners]).toEqual([0, ...Array(windows).fill(1)]);
    expect(vectors.rows).toBe(windows + 1);
  });

  it('refuses windows longer than the model reads', () => {
    expect(() => windowedEmbedder(model, { size: model.maxSeqLength, stride: 4 })).toThrow(
      /Windows of \d+ word pieces are more than the model's \d+/,
    );
  });
});
