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

  /** Calls whoever answers at `url`: media both ways, or messages (`sends`: [at, message]) over a channel that loses rather than waits. */
  async talk(url, media, push, sends, lasts) {
    const peer = new RTCPeerConnection();
    const channel =
      media === 'none'
        ? peer.createDataChannel('lab', { ordered: false, maxRetransmits: 0 })
        : undefined;
    try {
      await labPage.addMedia(peer, media);
      // Without our addresses: behind a home's router they are of no use to others, and it is from here that a flow is opened.
      const sdp = (await labPage.describe(peer)).replace(/^a=candidate:.*\r?\n/gm, '');
      const body = JSON.stringify({ sdp, media, push });
      const response = await fetch(url, { method: 'POST', body, cache: 'no-store' });
      const connected = labPage.connected(peer);
      await peer.setRemoteDescription({ type: 'answer', sdp: await response.text() });
      await connected;
      if (channel === undefined) return await labPage.pause(lasts);
      if (channel.readyState !== 'open')
        await new Promise((resolve) => channel.addEventListener('open', resolve));
      await labPage.playSends(sends, lasts, (message) => channel.send(message));
    } finally {
      labPage.hangUp(peer);
    }
  },

  /** The other side; gives its SDP and stays on the line until the caller hangs up. `pushes`: [at, bytes]. */
  async answer(offer, media, pushes) {
    const peer = new RTCPeerConnection();
    peer.addEventListener('datachannel', ({ channel }) => {
      const send = (bytes) =>
        channel.readyState === 'open' && channel.send('x'.repeat(bytes));
      for (const [at, bytes] of pushes) setTimeout(send, at, bytes);
      // Answers as messages.ts gives them.
      channel.addEventListener('message', ({ data }) => {
        const order = data.slice(0, Math.max(0, data.indexOf('|')));
        for (const reply of order.split('_')) {
          const [after, bytes] = reply.split('.').map(Number);
          if (bytes >= 0) setTimeout(send, after, bytes);
        }
      });
      channel.addEventListener('close', () => labPage.hangUp(peer));
    });
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'disconnected' || peer.connectionState === 'failed')
        labPage.hangUp(peer);
    });
    await peer.setRemoteDescription({ type: 'offer', sdp: offer });
    await labPage.addMedia(peer, media);
    return labPage.describe(peer);
  },

  async addMedia(peer, media) {
    if (media === 'none') return;
    const video = media === 'video' ? { width: 320, height: 240, frameRate: 15 } : false;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video });
    for (const track of stream.getTracks()) peer.addTrack(track, stream);
  },

  /** The description with all addresses in it, so that one message each way does. */
  async describe(peer) {
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== 'complete') {
      await new Promise((resolve) =>
        peer.addEventListener('icegatheringstatechange', resolve, { once: true }),
      );
    }
    return peer.localDescription.sdp;
  },

  connected(peer) {
    return new Promise((resolve, reject) => {
      peer.addEventListener('connectionstatechange', () => {
        if (peer.connectionState === 'connected') resolve();
        if (peer.connectionState === 'failed') reject(new Error('nobody to talk to'));
      });
    });
  },

  hangUp(peer) {
    for (const { track } of peer.getSenders()) track?.stop();
    peer.close();
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
