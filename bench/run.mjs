// npm run bench -- NAME: one measurement. Out: a table, and as the last line one JSON object.

const USAGE = `npm run bench -- NAME

  train    time of a training step, first step and peak memory, against sentence-transformers on PyTorch
             --model bge-small-shape   12 layers, random weights, CLS pooling (default: all-MiniLM-L6-v2)
             --dropout                 with the recipe's dropout, in both (default: without, so that losses can be compared)
             --steps N                 steps measured after warm-up (default: 10)
  default  the three notebooks as they come: seconds, and the peak memory of each one's kernel
  encode   texts a second, against sentence-transformers on PyTorch
  memory   memory over 500 training steps on short texts
  index    1,000,000 vectors in a LanceDB index: build, memory, time of a search, what it misses beside an exact one; and
             1,000 to 100,000 chunks embedded into one
             --short                   a tenth of it   --only vectors | chunks
  questions  what the offline questions are worth: trained on them alone, asked real ones about the same document
             --questions N a chunk (default: 8), --epochs N, --seed N, --no-base for the trained row alone
             --kinds questions | statements (default: questions)
             --model NAME   questions by this language model (OPENAI_API_KEY, OPENAI_BASE_URL) about the sample's training
                            reports, 2 a chunk, beside offline ones; both reported on the sample's test report
  recipe   what each ingredient of RECIPE=best brings, as a table (some hours in full; what is done is kept)
             --data FOLDER             the folder with the original workflow's train_dataset.json (required)
             --confirm                 base, original and best on what chose nothing: run it once, after choosing
             --short                   base, original and best, on the first part of the data only
             --only NAME,NAME          these variants   --folds N   on so many parts of the data (default: all)

The Python side needs: npm run interop -- --setup`;

/** Each is loaded when it is asked for: what one needs in memory must not count in another. */
const MEASUREMENTS = {
  train: async (args) => (await import('./train.mjs')).measureTrain(args),
  default: async () => (await import('./default.mjs')).measureDefault(),
  encode: async (args) => (await import('./encode.mjs')).measureEncode(args),
  memory: async (args) => (await import('./memory.mjs')).measureMemory(args),
  recipe: async (args) => (await import('./recipe.mjs')).measureRecipe(args),
  index: async (args) => (await import('./index.mjs')).measureIndex(args),
  questions: async (args) => (await import('./questions.mjs')).measureQuestions(args),
};

const [name, ...args] = process.argv.slice(2);
if (!Object.hasOwn(MEASUREMENTS, name ?? '')) {
  console.error(USAGE);
  process.exit(2);
}
try {
  const result = await MEASUREMENTS[name](args);
  console.log(JSON.stringify({ bench: name, ...result }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
