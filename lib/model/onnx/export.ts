// A BERT-family encoder's config and weights in, a model.onnx file out, written part by part.
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EncoderConfig } from '../config';
import type { StoredTensor } from '../safetensors';
import { bertModel } from './bert-graph';
import { byteLength, type Message } from './protobuf';

const PROTOBUF_LIMIT = 2 ** 31 - 1;

/**
 * Writes a BERT-family encoder as ONNX (operator set 17, 32-bit floats): inputs `input_ids`, `attention_mask` and
 * `token_type_ids`, int64 [batch, sequence]; output `last_hidden_state`, float [batch, sequence, hidden]. As
 * `onnx/model.onnx` in a model folder it is what transformers.js and onnxruntime load; pooling is left to them.
 *
 * The file appears whole or not at all. Beyond the weights themselves, memory holds a few of them at a time.
 *
 * @param model `config` as `readEncoderConfig` returns it; `weights` are PyTorch's, by name (`encoder.layer.0.…`, or `bert.encoder.…`),
 *   a linear layer's as [out, in].
 * @param file Where to write; missing folders are made.
 * @throws Error if a weight is missing or has another shape than the config says, or if the file would exceed protobuf's 2 GB. Nothing is written then.
 */
export async function exportOnnx(
  model: { config: EncoderConfig; weights: ReadonlyMap<string, StoredTensor> },
  file: string,
): Promise<void> {
  const message = bertModel(model.config, model.weights);
  if (byteLength(message) > PROTOBUF_LIMIT) {
    throw new Error(
      `Cannot export to ONNX: ${file} would take ${byteLength(message)} bytes, and one ONNX file holds at most ` +
        `${PROTOBUF_LIMIT}. Take a smaller base model, or use the model.safetensors of the same folder.`,
    );
  }
  await mkdir(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await pipeline(Readable.from(joinSmallParts(message)), createWriteStream(unfinished));
    await rename(unfinished, file);
  } finally {
    await rm(unfinished, { force: true });
  }
}

// Thousands of parts have a few bytes each: one write for all of them between two weights.
function* joinSmallParts(message: Message): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  for (const part of message) {
    if (part instanceof Uint8Array) {
      small.push(part);
      continue;
    }
    yield Buffer.concat(small);
    small = [];
    yield part.bytes();
  }
  yield Buffer.concat(small);
}
