/** The studio's own server: one WebSocket, joined again when it breaks. */
import { signal } from "@preact/signals";
import { remembered, storage } from "../parts/memory.js";
import { createCalls, Lost } from "./calls.js";
import { listeners } from "./listeners.js";
import { joinTab } from "./tab.js";

/** No token, or a key that is none. */
const REFUSED = [4400, 4401];
/** Another page has the same session now. */
const ELSEWHERE = 4409;
const PAUSES = [500, 1000, 2000, 4000, 10000];

/** @returns {import("./connection").Connection} */
export function connectServer() {
  const status = signal(
    /** @type {"joining" | "open" | "lost" | "refused" | "elsewhere"} */ ("joining"),
  );
  const said = signal("");
  const opened = listeners();
  const events = listeners();
  const calls = createCalls((message) => send(message), events.tell);
  const share = remembered(storage("sessionStorage"), "chalkgrad-share");
  const memory = {
    fresh: true,
    get share() {
      return share.value;
    },
    set share(text) {
      share.value = text;
    },
  };
  /** @type {WebSocket | null} */
  let socket = null;
  let failures = 0;
  let closed = false;
  let timer = 0;
  const tab = joinTab();

  /** @param {object} message */
  function send(message) {
    if (socket?.readyState !== WebSocket.OPEN) {
      throw new Lost();
    }
    socket.send(JSON.stringify(message));
  }

  /** @param {string} path */
  async function address(path) {
    const { key, fresh } = await tab;
    memory.fresh = fresh;
    const url = new URL(path, location.href);
    url.searchParams.set("session", key);
    const token = new URLSearchParams(location.search).get("token");
    if (token) {
      url.searchParams.set("token", token);
    }
    return url;
  }

  async function join() {
    const url = await address("/ws");
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(url);
    socket.onopen = () => {
      failures = 0;
      said.value = "";
      status.value = "open";
      opened.tell(undefined);
    };
    socket.onmessage = ({ data }) => calls.receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      calls.drop();
      if (closed) {
        return;
      }
      status.value = REFUSED.includes(code) ? "refused" : code === ELSEWHERE ? "elsewhere" : "lost";
      if (status.value === "lost") {
        timer = window.setTimeout(join, PAUSES[Math.min(failures++, PAUSES.length - 1)]);
      }
    };
  }

  events.add((event) => {
    if (event.event === "closing") {
      said.value = event.say ?? "";
    }
  });
  join();
  return {
    live: true,
    host: "server",
    status,
    said,
    memory,
    call: (request) => calls.call(request),
    onOpen: (listener) => opened.add(listener),
    onEvent: (listener) => events.add(listener),
    async upload(file) {
      const url = await address("/csv");
      url.searchParams.set("name", file.name);
      const reply = await fetch(url, { method: "POST", body: file });
      const message = await reply.json();
      if (message.error) {
        throw new Error(message.error.message);
      }
      return message.ok;
    },
    retry() {
      if (
        ["lost", "elsewhere"].includes(status.value) &&
        socket?.readyState !== WebSocket.CONNECTING
      ) {
        clearTimeout(timer);
        join();
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}
