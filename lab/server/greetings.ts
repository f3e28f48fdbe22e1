// Servers that speak first (IMAP and SMTP do) cannot be told so by the client's first bytes. The client tells beside
// the line instead, over a Unix socket: "ADDRESS PORT ORDER", one line a connection of its own.

import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { type Order, orderFromText } from '../order.ts';

/** Brings the orders together with the connections, whichever comes first. */
export class Greetings {
  readonly #orders = new Map<string, Order>();
  readonly #waiting = new Map<string, (order: Order) => void>();

  async listen(path: string): Promise<void> {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      createInterface({ input: socket }).on('line', (line) => {
        const [address = '', port = '', text = ''] = line.split(' ');
        const order = orderFromText(text);
        if (order !== undefined) this.#tell(`${address} ${port}`, order);
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  }

  /** Calls `greet` if and when the client of that connection has asked to be greeted. */
  expect(key: string, greet: (order: Order) => void): void {
    const order = this.#orders.get(key);
    if (order !== undefined) greet(order);
    else this.#waiting.set(key, greet);
    this.#orders.delete(key);
  }

  #tell(key: string, order: Order): void {
    const greet = this.#waiting.get(key);
    if (greet !== undefined) greet(order);
    else this.#orders.set(key, order);
    this.#waiting.delete(key);
  }
}
