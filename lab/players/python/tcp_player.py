"""Client software "python": httpx (HTTP/1.1, HTTP/2), websockets and mail over Python's OpenSSL. Argument: the authority."""

import asyncio
import ssl
import sys

import httpx
import websockets

from mail import Mail
from play import get_path, opening_of, order_of, padding, play_sends, player_loop, post_path

TIMEOUT_S = 60


class TcpMeans:
    def __init__(self, activity, authority):
        self._hosts = activity["hosts"]
        # Not httpx's: that one offers HTTP/2, in which there is no WebSocket here.
        self._socket_context = ssl.create_default_context(cafile=authority)
        self._socket_context.set_alpn_protocols(["http/1.1"])
        context = ssl.create_default_context(cafile=authority)
        http2 = activity["protocol"] == "h2"
        limits = httpx.Limits(max_connections=8, max_keepalive_connections=8)
        self._mail = Mail(self._hosts, ssl.create_default_context(cafile=authority))
        self._client = httpx.AsyncClient(
            verify=context, http2=http2, timeout=TIMEOUT_S, limits=limits, trust_env=False
        )

    def _url(self, step, path):
        return f"https://{self._hosts[step['host']]}{path}"

    async def _exchange(self, method, url, body=None):
        async with self._client.stream(method, url, content=body) as response:
            async for _ in response.aiter_raw():
                pass

    async def get(self, step):
        await self._exchange("GET", self._url(step, get_path(step)))

    async def post(self, step):
        await self._exchange("POST", self._url(step, post_path(step)), padding(step["up"]).encode())

    async def channel(self, step):
        url = f"wss://{self._hosts[step['host']]}/c"
        async with websockets.connect(
            url, ssl=self._socket_context, compression=None, max_size=None, ping_interval=None, proxy=None
        ) as socket:
            await socket.send(opening_of(step))
            reading = asyncio.create_task(self._swallow(socket))
            await play_sends(step, lambda one: socket.send(order_of(one)))
            reading.cancel()

    @staticmethod
    async def _swallow(socket):
        async for _ in socket:
            pass

    async def mail(self, step):
        await asyncio.to_thread(self._mail.act, step)

    async def close(self):
        await asyncio.to_thread(self._mail.close)
        await self._client.aclose()


async def main():
    async def open_means(activity):
        return TcpMeans(activity, sys.argv[1])

    await player_loop(open_means)


asyncio.run(main())
