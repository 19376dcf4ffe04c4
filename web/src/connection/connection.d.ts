import type { Signal } from "@preact/signals";
import type { Request, State, StudioEvent } from "../protocol";

/** How a page reaches an engine, whoever its host is. */
export interface Connection {
  /** False where every reply was computed beforehand. */
  live: boolean;
  host: "server" | "widget" | "recording";
  status: Signal<"joining" | "open" | "lost" | "refused" | "elsewhere">;
  /** Why the host closed it, in the host's words. */
  said?: Signal<string>;
  call(request: Request): Promise<any>;
  /** Called each time the connection stands (again). */
  onOpen(listener: () => void): void;
  onEvent(listener: (event: StudioEvent) => void): void;
  /** A file too large for a message; only where the host can. */
  upload?(file: File): Promise<State>;
  /** What this tab showed last, to tell a refresh from a pasted address. */
  memory?: { share: string | null; fresh: boolean };
  retry?(): void;
  close(): void;
}
