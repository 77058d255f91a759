// A small real model behind OpenAI's API, one call at a time: node llama-server.mts MODEL.gguf PORT. It needs
// `npm install --no-save --ignore-scripts node-llama-cpp@3.21.1`. Whether the client works is to be seen, not quality.
import { createServer } from 'node:http';

const [modelPath, port] = process.argv.slice(2);
const { getLlama, LlamaChatSession } = await import(String('node-llama-cpp'));
const llama = await getLlama({ build: 'never' });
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({ contextSize: 4096, threads: 1 });
const sequence = context.getSequence();

// biome-ignore lint/suspicious/noExplicitAny: a request as it comes.
async function complete({ messages, max_tokens, temperature, seed, response_format }: any, signal: AbortSignal) {
  const schema = response_format?.json_schema?.schema;
  const grammar = schema && (await llama.createGrammarForJsonSchema(schema));
  const prompt_tokens = model.tokenize(messages[0].content).length;
  if (prompt_tokens > 3500) throw new Error(`the request exceeds the available context size (${prompt_tokens} tokens)`);
  await sequence.clearHistory();
  const session = new LlamaChatSession({ contextSequence: sequence });
  const options = { grammar, maxTokens: max_tokens, temperature, seed, signal };
  const { responseText: content, stopReason } = await session.promptWithMeta(messages[0].content, options);
  const finish_reason = stopReason === 'maxTokens' ? 'length' : 'stop';
  const usage = { prompt_tokens, completion_tokens: model.tokenize(content).length };
  return { choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason }], usage };
}

let queue: Promise<unknown> = Promise.resolve();
createServer(async (request, response) => {
  let text = '';
  for await (const part of request) text += part;
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.setHeader('content-type', 'application/json');
  const turn = queue.then(() => (response.destroyed ? undefined : complete(JSON.parse(text), gone.signal)));
  queue = turn.then(
    (answer) => response.end(JSON.stringify(answer)),
    ({ message }) => response.writeHead(500).end(JSON.stringify({ error: { message } })),
  );
}).listen(Number(port), '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/v1`));
