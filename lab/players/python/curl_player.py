"""Client software "curl": libcurl as Debian builds it for GnuTLS (HTTP/1.1, HTTP/2, IMAP, SMTP). Argument: the authority.

Wants /usr/bin/python3 with pycurl. Has no WebSocket: a channel is an answer that stays open and posts beside it.
"""

import asyncio
import io
import re
import sys
import time

import pycurl

from mail import DOMAIN, PASSWORD, mail_text
from play import get_path, padding, pause, player_loop, post_path

CONNECT_TIMEOUT_S = 20
POLL_S = 3


class CurlMeans:
    def __init__(self, activity, authority):
        self._hosts = activity["hosts"]
        self._authority = authority
        h2 = activity["protocol"] == "h2"
        self._version = pycurl.CURL_HTTP_VERSION_2TLS if h2 else pycurl.CURL_HTTP_VERSION_1_1
        self._idle = []  # handles, each with its connections
        self._mail = None  # the handle of the one connection to a mail server
        self._mails = 0
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

    async def mail(self, step):
        await asyncio.to_thread(getattr(self, f"_{step['op']}"), step)

    def _imap(self, step):
        act, amount = step["act"], step["amount"]
        if act == "open":
            self._open_mail(step, "imaps")
            self._command("SELECT INBOX")
            said = self._command("STATUS INBOX (MESSAGES)")
            self._mails = int(re.search(rb"MESSAGES (\d+)", said)[1])
        elif act == "folders":
            self._command('LIST "" *')
            for folder in ("Sent", "Drafts"):
                self._command(f"STATUS {folder} (MESSAGES UIDNEXT UNSEEN)")
        elif act == "list":
            self._command(f"FETCH {self._newest(amount - 1)}:* (UID FLAGS INTERNALDATE ENVELOPE)")
        elif act == "read":
            # As a URL: libcurl reads what a command of its user's own brings only up to the first literal.
            self._mail.unsetopt(pycurl.CUSTOMREQUEST)
            self._mail.setopt(pycurl.URL, f"{self._mail_url}INBOX;MAILINDEX={self._newest(amount)}")
            self._mail.perform()
            self._mail.setopt(pycurl.URL, self._mail_url)
        elif act == "flag":
            self._command(f"STORE {self._newest(amount)} +FLAGS (\\Seen)")
        elif act == "search":
            self._command("SEARCH UNSEEN")
        elif act == "append":
            self._upload(f"{self._mail_url}Sent", mail_text(amount))
        elif act == "check":
            self._command("NOOP")
        elif act == "idle":
            # Has no IDLE: asks now and then, as fetchmail does.
            until = time.monotonic() + amount / 1000
            while (left := until - time.monotonic()) > 0 and not self._over:
                time.sleep(min(left, POLL_S))
                self._command("NOOP")

    def _smtp(self, step):
        if step["act"] == "open":
            self._open_mail(step, "smtps")
            return
        self._mail.setopt(pycurl.MAIL_FROM, f"a@{DOMAIN}")
        self._mail.setopt(pycurl.MAIL_RCPT, [f"user{step['amount'] % 8}@{DOMAIN}"])
        self._upload(self._mail_url, mail_text(step["amount"]))

    def _open_mail(self, step, scheme):
        self._mail = pycurl.Curl()
        self._mail_url = f"{scheme}://{self._hosts[step['host']]}:443/"
        self._mail.setopt(pycurl.CAINFO, self._authority)
        self._mail.setopt(pycurl.CONNECTTIMEOUT, CONNECT_TIMEOUT_S)
        self._mail.setopt(pycurl.NOSIGNAL, 1)
        self._mail.setopt(pycurl.USERNAME, f"user{step['amount']}")
        self._mail.setopt(pycurl.PASSWORD, PASSWORD)
        self._mail.setopt(pycurl.WRITEFUNCTION, lambda data: None)
        self._mail.setopt(pycurl.NOPROGRESS, 0)
        self._mail.setopt(pycurl.XFERINFOFUNCTION, lambda *_: 1 if self._over else 0)

    def _command(self, command):
        said = []
        self._mail.setopt(pycurl.URL, self._mail_url + "INBOX")
        self._mail.setopt(pycurl.CUSTOMREQUEST, command)
        self._mail.setopt(pycurl.WRITEFUNCTION, lambda data: said.append(data))
        self._mail.perform()
        self._mail.setopt(pycurl.WRITEFUNCTION, lambda data: None)
        return b"".join(said)

    def _upload(self, url, text):
        data = io.BytesIO(text.encode())
        self._mail.unsetopt(pycurl.CUSTOMREQUEST)
        self._mail.setopt(pycurl.URL, url)
        self._mail.setopt(pycurl.UPLOAD, 1)
        self._mail.setopt(pycurl.READFUNCTION, data.read)
        self._mail.setopt(pycurl.INFILESIZE_LARGE, len(data.getbuffer()))
        self._mail.perform()
        self._mail.setopt(pycurl.UPLOAD, 0)
        self._mail.setopt(pycurl.URL, self._mail_url)

    def _newest(self, back):
        return max(self._mails - back, 1)

    async def close(self):
        self._over = True
        if self._mail is not None:
            self._mail.close()
        for curl in self._idle:
            curl.close()


async def main():
    async def open_means(activity):
        return CurlMeans(activity, sys.argv[1])

    await player_loop(open_means)


asyncio.run(main())
