// In: a BERT-family encoder's config and weights. Out: a model.onnx file, written part by part.
import fs from 'node:fs';
import path from 'node:path';
import type { EncoderConfig } from '../config';
import type { StoredTensor } from '../safetensors';
import { writeParts } from '../write-parts';
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
 * @param model `config` as in `model.encoder`; `weights` are PyTorch's, by name (`encoder.layer.0.…`, or
 *   `bert.encoder.…`), a linear layer's as [out, in]
 * @param file where to write; missing folders are made
 * @throws Error if a weight is missing or has another shape than the config says, or if the file would exceed
 *   protobuf's 2 GB; nothing is written then
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
  fs.mkdirSync(path.dirname(file), { recursive: true });
  writeParts(file, bytesOf(message));
}

function* bytesOf(message: Message): Generator<Uint8Array> {
  for (const part of message) yield part instanceof Uint8Array ? part : part.bytes();
}
