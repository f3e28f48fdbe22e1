// WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), as much of it as driving a browser's pages takes.

import { WebSocket } from 'ws';
import { z } from 'zod';

const ANSWER = z.object({
  id: z.number().optional(),
  type: z.string(),
  error: z.string().optional(),
  message: z.string().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
});

type Result = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (fault: Error) => void;
}

export class Bidi {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#take(String(data)));
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error('the browser has gone'));
      this.#waiting.clear();
    });
  }

  static async connect(url: string): Promise<Bidi> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve).once('error', reject);
    });
    return new Bidi(socket);
  }

  /** @throws Error with the browser's words. */
  send(method: string, params: object): Promise<Result> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #take(text: string): void {
    const answer = ANSWER.parse(JSON.parse(text));
    const waiting = this.#waiting.get(answer.id ?? 0);
    if (waiting === undefined || answer.id === undefined) return;
    this.#waiting.delete(answer.id);
    if (answer.type === 'success') waiting.resolve(answer.result ?? {});
    else waiting.reject(new Error(`${answer.error}: ${answer.message}`));
  }
}
