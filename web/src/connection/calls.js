/** Requests that wait for their replies. */

/** A reply that says what went wrong, in the engine's words. */
export class Refusal extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "Refusal";
  }
}

/** The connection broke before the reply came. */
export class Lost extends Error {
  constructor() {
    super("The connection was lost before the answer came.");
    this.name = "Lost";
  }
}

/**
 * @param {(message: object) => void} send
 * @param {(event: import("../protocol").StudioEvent) => void} announce
 */
export function createCalls(send, announce) {
  // Two views of one widget hear each other's replies: each has numbers of its own.
  const own = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  let last = 0;
  /** @type {Map<string, { resolve: (ok: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();

  return {
    /** @param {import("../protocol").Request} request @returns {Promise<any>} */
    call(request) {
      const id = `${own}-${++last}`;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        send({ id, ...request });
      });
    },

    /** @param {any} message a reply or an event */
    receive(message) {
      if (message.event !== undefined) {
        announce(message);
        return;
      }
      const caller = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) {
        caller?.reject(new Refusal(message.error.message));
      } else {
        caller?.resolve(message.ok);
      }
    },

    drop() {
      for (const caller of waiting.values()) {
        caller.reject(new Lost());
      }
      waiting.clear();
    },
  };
}
