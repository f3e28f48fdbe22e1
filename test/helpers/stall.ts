// Preloaded into a program (`node --import`): blocks its event loop for 100 ms of every 250 ms.

const STALL_MS = 100;
const EVERY_MS = 250;

setInterval(() => {
  const end = performance.now() + STALL_MS;
  while (performance.now() < end);
}, EVERY_MS).unref();
