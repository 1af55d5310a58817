import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { LOST, Remote } from "../../app/live/remote.js";

/** A worker that answers when told to. */
function fake() {
  const worker = { sent: [], ended: false, postMessage: (message) => worker.sent.push(message), terminate: () => (worker.ended = true) };
  return { worker, remote: new Remote("address", () => worker) };
}

test("answers find who asked, in any order", async () => {
  const { worker, remote } = fake();
  const [first, second] = [remote.ask("run", { thresholds: [1] }), remote.ask("run", { thresholds: [2] })];
  assert.deepEqual(worker.sent.map(({ thresholds }) => thresholds), [[1], [2]]);
  worker.onmessage({ data: { id: worker.sent[1].id, done: "second" } });
  worker.onmessage({ data: { id: worker.sent[0].id, done: "first" } });
  assert.deepEqual(await Promise.all([first, second]), ["first", "second"]);
});

test("a failure is the asker's, and the worker goes on", async () => {
  const { worker, remote } = fake();
  const asked = remote.ask("run", {});
  worker.onmessage({ data: { id: worker.sent[0].id, failed: "no such tensor" } });
  await assert.rejects(asked, /no such tensor/);
  assert.equal(worker.ended, false);
});

test("a script that does not load rejects all that is open", async () => {
  const { worker, remote } = fake();
  const asked = [remote.ask("model", {}), remote.ask("text", {})];
  worker.onerror({ message: "404" });
  for (const one of asked) await assert.rejects(one, /404/);
  assert.equal(worker.ended, true);
  await assert.rejects(remote.ask("run", {}), LOST);
});

test("a worker that says nothing more is given up; loading a model may take any time", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { worker, remote } = fake();
  const load = remote.ask("model", {});
  mock.timers.tick(600_000);
  worker.onmessage({ data: { id: worker.sent[0].id, done: null } });
  assert.equal(await load, null);
  const asked = remote.ask("run", {});
  const rejected = assert.rejects(asked, LOST);
  mock.timers.tick(60_000);
  await rejected;
  assert.equal(worker.ended, true);
  mock.timers.reset();
});

test("progress is a share", () => {
  const { worker, remote } = fake();
  const heard = [];
  remote.progress = (share) => heard.push(share);
  worker.onmessage({ data: { loaded: 5, bytes: 10 } });
  worker.onmessage({ data: { loaded: 12, bytes: 10 } });
  assert.deepEqual(heard, [0.5, 1]);
});
