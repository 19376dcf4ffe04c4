/** The studio's front end: one module for a server's page, a notebook's widget and a saved page. */
import { h, render as draw } from "preact";
import { App } from "./App.jsx";
import { connectRecording } from "./connection/recording.js";
import { connectServer } from "./connection/server.js";
import { connectWidget } from "./connection/widget.js";
import { keepAddress } from "./store/address.js";
import { join } from "./store/joining.js";
import { createStore } from "./store/store.js";

export { connectRecording, connectServer, connectWidget };

/**
 * @param {HTMLElement} el
 * @param {import("./connection/connection").Connection} connection
 * @returns {() => void} takes it away again
 */
export function mount(el, connection) {
  const store = createStore(connection);
  join(store);
  const forget = connection.host === "server" ? keepAddress(store) : () => {};
  el.replaceChildren();
  draw(h(App, { store }), el);
  return () => {
    forget();
    connection.close();
    draw(null, el);
  };
}

/** @param {{ model: Parameters<typeof connectWidget>[0], el: HTMLElement }} widget as anywidget gives it */
function render({ model, el }) {
  return mount(el, connectWidget(model));
}

function recorded() {
  const data = document.getElementById("chalkgrad-recording");
  return connectRecording(JSON.parse(data?.textContent ?? ""));
}

/** @type {NodeListOf<HTMLElement>} */
const hosts = document.querySelectorAll("[data-chalkgrad-studio]");
for (const host of hosts) {
  mount(host, host.dataset.chalkgradStudio === "recording" ? recorded() : connectServer());
}

export default { render };
