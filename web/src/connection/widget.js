/** A notebook: the kernel answers through the widget's messages. */
import { signal } from "@preact/signals";
import { createCalls } from "./calls.js";
import { listeners } from "./listeners.js";

/**
 * @param {{ send: (message: object) => void, on: (name: string, listener: (message: any) => void) => void,
 *   off: (name: string, listener: (message: any) => void) => void }} model anywidget's
 * @returns {import("./connection").Connection}
 */
export function connectWidget(model) {
  const events = listeners();
  const calls = createCalls((message) => model.send(message), events.tell);
  /** @param {any} message */
  const receive = (message) => calls.receive(message);
  model.on("msg:custom", receive);
  return {
    live: true,
    host: "widget",
    status: signal("open"),
    call: (request) => calls.call(request),
    onOpen: (listener) => queueMicrotask(listener),
    onEvent: (listener) => events.add(listener),
    close: () => model.off("msg:custom", receive),
  };
}
