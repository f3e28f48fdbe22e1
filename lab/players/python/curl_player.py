"""Client software "curl": libcurl as Debian builds it for GnuTLS (HTTP/1.1, HTTP/2). Argument: the authority.

Wants /usr/bin/python3 with pycurl. Has no WebSocket: a channel is an answer that stays open and posts beside it.
"""

import asyncio
import sys
import time

import pycurl

from play import get_path, padding, pause, player_loop, post_path

CONNECT_TIMEOUT_S = 20


class CurlMeans:
    def __init__(self, activity, authority):
        self._hosts = activity["hosts"]
        self._authority = authority
        h2 = activity["protocol"] == "h2"
        self._version = pycurl.CURL_HTTP_VERSION_2TLS if h2 else pycurl.CURL_HTTP_VERSION_1_1
        self._idle = []  # handles, each with its connections
        self._over = False

    def _url(self, step, path):
        return f"https://{self._hosts[step['host']]}{path}"

    def _perform(self, url, body):
        # The last one used first: its connection is the most likely to be open.
        curl = self._idle.pop() if self._idle else pycurl.Curl()
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.CAINFO, self._authority)
        curl.setopt(pycurl.HTTP_VERSION, self._version)
        curl.setopt(pycurl.CONNECTTIMEOUT, CONNECT_TIMEOUT_S)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.WRITEFUNCTION, lambda data: None)
        curl.setopt(pycurl.NOPROGRESS, 0)
        curl.setopt(pycurl.XFERINFOFUNCTION, lambda *_: 1 if self._over else 0)
        if body is None:
            curl.setopt(pycurl.HTTPGET, 1)
        else:
            curl.setopt(pycurl.POST, 1)
            curl.setopt(pycurl.POSTFIELDS, body)
            # Else it waits for a leave to send that no server here gives.
            curl.setopt(pycurl.HTTPHEADER, ["Expect:"])
        try:
            curl.perform()
        except pycurl.error:
            curl.close()
            if not self._over:
                raise
            return
        self._idle.append(curl)

    async def _exchange(self, url, body=None):
        await asyncio.to_thread(self._perform, url, body)

    async def get(self, step):
        await self._exchange(self._url(step, get_path(step)))

    async def post(self, step):
        await self._exchange(self._url(step, post_path(step)), padding(step["up"]))

    async def channel(self, step):
        start = time.monotonic()
        stream = None
        if step["push"]:
            url = self._url(step, f"/g/0/0/0/{step['push']}")
            stream = asyncio.create_task(self._exchange(url))
        sends = list(step["sends"])
        while sends:
            await pause(start + sends[0]["at"] / 1000)
            # Messages that have come due while the last post was on its way go together.
            now = (time.monotonic() - start) * 1000
            due = [one for one in sends if one["at"] <= now] or sends[:1]
            del sends[: len(due)]
            replies = due[0]["replies"]
            down = sum(size for _, size in replies)
            hold = replies[0][0] if replies else 0
            url = self._url(step, post_path({"down": down, "hold": hold}))
            await self._exchange(url, padding(sum(one["up"] for one in due)))
        await pause(start + step["lasts"] / 1000)
        if stream is not None:
            await stream

    async def close(self):
        self._over = True
        for curl in self._idle:
            curl.close()


async def main():
    async def open_means(activity):
        return CurlMeans(activity, sys.argv[1])

    await player_loop(open_means)


asyncio.run(main())
