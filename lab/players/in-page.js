// Runs inside the browser's pages: what a page's own scripts do. Read as text by browser-player.ts; orders are those of
// origin/request-path.ts, built on the other side.

const labPage = {
  async exchange(url, body) {
    const options = body === undefined ? {} : { method: 'POST', body };
    const response = await fetch(url, {
      ...options,
      cache: 'no-store',
      credentials: 'omit',
    });
    const reader = response.body.getReader();
    while (!(await reader.read()).done);
  },

  /** `sends`: [at, message] in order of time. */
  async webSocket(url, opening, sends, lasts) {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`no WebSocket: ${url}`));
    });
    socket.send(opening);
    await labPage.playSends(sends, lasts, (message) => socket.send(message));
    socket.close();
  },

  /** Where there is no WebSocket: one open answer for pushes, posts for messages, those that wait together in one. */
  async polling(streamUrl, sends, lasts) {
    const stop = new AbortController();
    const start = performance.now();
    const stream =
      streamUrl === ''
        ? Promise.resolve()
        : fetch(streamUrl, { signal: stop.signal, cache: 'no-store' })
            .then(async (response) => {
              const reader = response.body.getReader();
              while (!(await reader.read()).done);
            })
            .catch(() => undefined);
    let next = 0;
    while (next < sends.length && performance.now() - start < lasts) {
      await labPage.pause(start + sends[next].at - performance.now());
      const now = performance.now() - start;
      let up = 0;
      const url = sends[next].url;
      for (; next < sends.length && sends[next].at <= now; next++) up += sends[next].up;
      await labPage.exchange(url, 'x'.repeat(up));
    }
    await labPage.pause(start + lasts - performance.now());
    stop.abort();
    await stream;
  },

  /** With hls.js; over when the film has played for so long, or could not. */
  async watch(player, playlist, lasts) {
    if (globalThis.Hls === undefined) {
      await new Promise((resolve, reject) => {
        const script = document.createElement('script');
        script.onload = resolve;
        script.onerror = () => reject(new Error(`no player: ${player}`));
        script.src = player;
        document.head.append(script);
      });
    }
    const video = document.createElement('video');
    video.muted = true;
    document.body.append(video);
    // Else it loads all of the film at once.
    const hls = new globalThis.Hls({ maxBufferLength: 20, maxMaxBufferLength: 25 });
    try {
      await new Promise((resolve, reject) => {
        hls.on(
          'hlsError',
          (_, { fatal, details }) => fatal && reject(new Error(details)),
        );
        video.addEventListener('playing', resolve, { once: true });
        hls.loadSource(playlist);
        hls.attachMedia(video);
        video.play().catch(reject);
      });
      await labPage.pause(lasts);
    } finally {
      hls.destroy();
      video.remove();
    }
  },

  pause(ms) {
    return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
  },

  async playSends(sends, lasts, send) {
    const start = performance.now();
    for (const [at, message] of sends) {
      await labPage.pause(start + at - performance.now());
      send(message);
    }
    await labPage.pause(start + lasts - performance.now());
  },
};

globalThis.labPage = labPage;
