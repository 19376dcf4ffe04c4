import assert from "node:assert/strict";
import test from "node:test";
import { createCalls, Lost, Refusal } from "../src/connection/calls.js";
import { latest } from "../src/store/queue.js";

test("replies find their requests, in any order, and events go their own way", async () => {
  const sent = [];
  const events = [];
  const calls = createCalls(
    (message) => sent.push(message),
    (event) => events.push(event),
  );
  const [first, second] = [calls.call({ do: "a" }), calls.call({ do: "b" })];
  calls.receive({ event: "closing" });
  calls.receive({ id: sent[1].id, ok: "second" });
  calls.receive({ id: sent[0].id, error: { message: "no" } });
  assert.equal(await second, "second");
  await assert.rejects(first, (error) => error instanceof Refusal && error.message === "no");
  assert.equal(events.length, 1);
});

test("a broken connection rejects what waits", async () => {
  const calls = createCalls(
    () => {},
    () => {},
  );
  const waiting = calls.call({ do: "a" });
  calls.drop();
  await assert.rejects(waiting, Lost);
});

test("of requests that come too fast the last one is always sent", async () => {
  const seen = [];
  const submit = latest(async (value) => {
    await new Promise((later) => setTimeout(later, 5));
    seen.push(value);
  });
  for (let value = 0; value <= 20; value++) {
    submit(value);
  }
  while (seen.at(-1) !== 20) {
    await new Promise((later) => setTimeout(later, 5));
  }
  assert.deepEqual([seen[0], seen.at(-1)], [0, 20]);
  assert.ok(seen.length < 5);
});
