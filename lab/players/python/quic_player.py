"""Client software "aioquic": HTTP/3 over Python's own QUIC and TLS. Argument: the authority."""

import asyncio
import ssl
import struct
import sys
from contextlib import AsyncExitStack

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated

from play import get_path, opening_of, order_of, padding, play_sends, player_loop, post_path

PORT = 443
CONNECT_TIMEOUT_S = 20


class Http3(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._ends = {}

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for end in self._ends.values():
                if not end.done():
                    end.set_exception(ConnectionError(event.reason_phrase or "the connection was closed"))
            return
        for http_event in self._http.handle_event(event):
            if isinstance(http_event, (HeadersReceived, DataReceived)) and http_event.stream_ended:
                end = self._ends.get(http_event.stream_id)
                if end is not None and not end.done():
                    end.set_result(None)

    def open(self, method, host, path, ended):
        """Sends the head of a request; its stream, and what is done when the answer has ended."""
        stream = self._quic.get_next_available_stream_id()
        self._ends[stream] = self._loop.create_future()
        head = [
            (b":method", method),
            (b":scheme", b"https"),
            (b":authority", host.encode()),
            (b":path", path.encode()),
            (b"user-agent", b"aioquic"),
        ]
        self._http.send_headers(stream, head, end_stream=ended)
        return stream, self._ends[stream]

    def send(self, stream, data, ended=False):
        self._http.send_data(stream, data, end_stream=ended)
        self.transmit()

    async def exchange(self, method, host, path, body=None):
        stream, end = self.open(method, host, path, body is None)
        if body is not None:
            self._http.send_data(stream, body, end_stream=True)
        self.transmit()
        await end
        del self._ends[stream]


class QuicMeans:
    def __init__(self, activity, authority):
        self._hosts = activity["hosts"]
        self._authority = authority
        self._stack = AsyncExitStack()
        self._open = {}

    async def _connection(self, host):
        if host not in self._open:
            self._open[host] = asyncio.ensure_future(self._connect(host))
        return await self._open[host]

    async def _connect(self, host):
        configuration = QuicConfiguration(
            is_client=True, alpn_protocols=H3_ALPN, server_name=host, verify_mode=ssl.CERT_REQUIRED
        )
        configuration.load_verify_locations(self._authority)
        opening = connect(host, PORT, configuration=configuration, create_protocol=Http3)
        return await asyncio.wait_for(self._stack.enter_async_context(opening), CONNECT_TIMEOUT_S)

    async def _exchange(self, method, step, path, body=None):
        host = self._hosts[step["host"]]
        connection = await self._connection(host)
        await connection.exchange(method, host, path, body)

    async def get(self, step):
        await self._exchange(b"GET", step, get_path(step))

    async def post(self, step):
        await self._exchange(b"POST", step, post_path(step), padding(step["up"]).encode())

    async def channel(self, step):
        """As gRPC does: one request whose body and answer are open at the same time."""
        host = self._hosts[step["host"]]
        connection = await self._connection(host)
        stream, _ = connection.open(b"POST", host, "/s", False)

        async def send(message):
            data = message.encode()
            connection.send(stream, struct.pack(">I", len(data)) + data)

        await send(opening_of(step))
        await play_sends(step, lambda one: send(order_of(one)))
        connection.send(stream, b"", ended=True)

    async def close(self):
        await self._stack.aclose()


async def main():
    async def open_means(activity):
        return QuicMeans(activity, sys.argv[1])

    await player_loop(open_means)


asyncio.run(main())
