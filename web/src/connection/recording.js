/** A saved page: every reply was computed when it was written. */
import { signal } from "@preact/signals";
import { Refusal } from "./calls.js";

/** @typedef {import("../protocol").Request} Request */
/** @typedef {{ request: Request, ok: any }} Recorded */

const UNKNOWN =
  "This page was saved, and that was not saved with it. Open it in the studio for that.";

/**
 * How far a recorded request is from one that is asked: 0 the same, null of another thing.
 * @param {Request} recorded @param {Request} asked
 */
export function distance(recorded, asked) {
  if (recorded.do !== asked.do) {
    return null;
  }
  let far = 0;
  for (const field of new Set([...Object.keys(recorded), ...Object.keys(asked)])) {
    if (recorded[field] === asked[field]) {
      continue;
    }
    const nearer = { view: 4, names: 2, digits: 1 }[field];
    if (asked.do !== "why" || nearer === undefined) {
      return null;
    }
    far += nearer;
  }
  return far;
}

/** @param {Recorded[]} replies @param {Request} asked @returns {Recorded | null} the nearest */
export function nearest(replies, asked) {
  /** @type {Recorded | null} */
  let best = null;
  let least = Infinity;
  for (const reply of replies) {
    const far = distance(reply.request, asked);
    if (far !== null && far < least) {
      best = reply;
      least = far;
    }
  }
  return best;
}

/**
 * @param {{ hello: import("../protocol").Hello, replies: Recorded[] }} data
 * @returns {import("./connection").Connection}
 */
export function connectRecording(data) {
  let record = data.hello.state?.record ?? null;
  const perRecord = data.replies.some(({ request }) => request.do === "why" && "record" in request);

  /** @param {Request} request */
  async function call(request) {
    if (request.do === "hello") {
      return data.hello;
    }
    const asked = request.do === "why" && perRecord ? { ...request, record } : request;
    const reply = nearest(data.replies, asked) ?? nearest(data.replies, request);
    if (reply === null) {
      throw new Refusal(UNKNOWN);
    }
    if (request.do === "select") {
      record = /** @type {number | null} */ (request.record);
    }
    return reply.ok;
  }

  return {
    live: false,
    host: "recording",
    status: signal("open"),
    call,
    onOpen: (listener) => queueMicrotask(listener),
    onEvent: () => {},
    close: () => {},
  };
}
