// Run by model-folders.test.ts in a process of its own: loads each folder it is sent and tells what came of it.
import { loadModel, tf } from 'finetune-embedding';

const TEXTS = [
  'The ferry port lost 9% in 2024.',
  'Ünïcödé, 漢字 and [SEP] inside; a\u0000b',
  'what is the loss rate of the ferry? '.repeat(12),
  '',
  'q'.repeat(120),
];

process.on('message', async (folder: string) => {
  const answer = await embed(folder).catch((error: Error) => ({ error: error.message }));
  // The most memory that this process has held, in bytes.
  const peak = process.resourceUsage().maxRSS * 1024;
  process.send!({ ...answer, peak, tensors: tf.memory().numTensors });
});

async function embed(folder: string) {
  const model = await loadModel(folder, { name: 'damaged' });
  try {
    const { data } = await model.embedQueries(TEXTS);
    return {
      vectors: Buffer.from(data.buffer).toString('base64'),
      search: JSON.stringify(model.search),
      areNumbers: data.every(Number.isFinite),
    };
  } finally {
    model.dispose();
  }
}

process.send!('ready'); // TensorFlow has been loaded: from here on the time counts
