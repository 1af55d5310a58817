// The model, in a worker of the visitor's browser: ONNX Runtime on one thread, tokens really removed.
//
// Messages in: {id, ask: "model" | "text" | "run", …}; out: {id, done} or {id, failed}, and {loaded, bytes} on the
// way. One is worked on at a time. A model takes the place of the one before, so the memory of one is all that is held.

import { expand } from "./half.js";
import { unpack } from "./outputs.js";

let runtime = null; // ONNX Runtime, once it is loaded
let session = null; // of the present model
let text = null; // {embedded: ort.Tensor, tokens}

const asks = {
  /** Load a model: addresses of its files, and how many bytes they have together. */
  async model({ files, bytes }) {
    const progress = { loaded: 0, bytes };
    text = null;
    await session?.release();
    session = null;
    if (!runtime) {
      const wasm = await fetched(files.wasm, progress);
      runtime = await import(files.module);
      runtime.env.wasm.numThreads = 1;
      runtime.env.wasm.wasmBinary = wasm;
      runtime.env.logLevel = "error";
    }
    const [graph, halves] = [await fetched(files.graph, progress), await fetched(files.weights, progress)];
    const weights = new Uint8Array(expand(new Uint16Array(halves)).buffer);
    session = await runtime.InferenceSession.create(new Uint8Array(graph), {
      executionProviders: ["wasm"],
      externalData: [{ path: "weights", data: weights }],
    });
  },

  /** Take a text: float32, n times the model's width. */
  async text({ embedded, tokens, layers }) {
    const values = new Float32Array(embedded);
    text = { embedded: new runtime.Tensor("float32", values, [1, tokens, values.length / tokens]), tokens };
    await run(new Array(layers).fill(0)); // unasked: the first run of a length is several times as slow as others
  },

  /** Run it under the thresholds that act. */
  async run({ thresholds }) {
    const began = performance.now();
    const found = await run(thresholds);
    const milliseconds = performance.now() - began;
    const [logits, left, kept, importance] = ["logits", "tokens_left", "kept", "importance"].map((name) => found[name].data);
    return { ...unpack(logits, left, kept, importance, text.tokens), milliseconds };
  },
};

async function run(thresholds) {
  const acting = new runtime.Tensor("float32", Float32Array.from(thresholds), [thresholds.length]);
  return session.run({ embedded: text.embedded, thresholds: acting });
}

/** A file of the lab, with word of how far it is. */
async function fetched(address, progress) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} is not there (${response.status})`);
  const parts = [];
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    progress.loaded += value.length;
    postMessage(progress);
  }
  return new Blob(parts).arrayBuffer();
}

let work = Promise.resolve();
onmessage = ({ data: { id, ask, ...given } }) => {
  work = work.then(async () => {
    try {
      postMessage({ id, done: (await asks[ask](given)) ?? null });
    } catch (error) {
      postMessage({ id, failed: String(error?.message ?? error) });
    }
  });
};
