"""Mail as Python speaks it: imaplib and smtplib. Steps are scenario/step.ts's Imap and Smtp."""

import imaplib
import select
import smtplib
import time

from play import padding

PORT = 443
TIMEOUT_S = 60
PASSWORD = "p8Wq2vLz7c"
DOMAIN = "mail.example"
LINE = 74


def mail_text(count):
    """A mail of so many bytes."""
    head = f"From: <a@{DOMAIN}>\r\nTo: <b@{DOMAIN}>\r\nSubject: {padding(24)}\r\n\r\n"
    left = max(count - len(head), 0)
    body = padding(LINE) + "\r\n"
    return head + (body * (left // len(body) + 1))[:left]


class Mail:
    """One connection; calls block."""

    def __init__(self, hosts, context):
        self._hosts = hosts
        self._context = context
        self._imap = None
        self._smtp = None
        self._mails = 0

    def act(self, step):
        getattr(self, f"_{step['op']}_{step['act']}")(step, step["amount"])

    def close(self):
        if self._imap is not None:
            self._imap.logout()
        if self._smtp is not None:
            self._smtp.quit()

    def _imap_open(self, step, mailbox):
        self._imap = imaplib.IMAP4_SSL(
            self._hosts[step["host"]], PORT, ssl_context=self._context, timeout=TIMEOUT_S
        )
        self._imap.login(f"user{mailbox}", PASSWORD)
        _, (count,) = self._imap.select("INBOX")
        self._mails = int(count)

    def _newest(self, back):
        return str(max(self._mails - back, 1))

    def _imap_folders(self, step, _):
        self._imap.list()
        for folder in ("Sent", "Drafts"):
            self._imap.status(folder, "(MESSAGES UIDNEXT UNSEEN)")

    def _imap_list(self, step, count):
        self._imap.fetch(f"{self._newest(count - 1)}:*", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)")

    def _imap_read(self, step, back):
        self._imap.fetch(self._newest(back), "(UID BODY.PEEK[])")

    def _imap_flag(self, step, back):
        self._imap.store(self._newest(back), "+FLAGS", r"(\Seen)")

    def _imap_search(self, step, _):
        self._imap.search(None, "UNSEEN")

    def _imap_append(self, step, size):
        self._imap.append("Sent", r"(\Seen)", None, mail_text(size).encode())

    def _imap_check(self, step, _):
        self._imap.noop()

    def _imap_idle(self, step, ms):
        """RFC 2177, which imaplib has not: lines are read as they come, until it has been long enough."""
        tag = self._imap._new_tag()
        self._imap.send(tag + b" IDLE\r\n")
        until = time.monotonic() + ms / 1000
        line = self._imap.readline()
        while (left := until - time.monotonic()) > 0:
            ready = self._imap.sock.pending() or select.select([self._imap.sock], [], [], left)[0]
            if ready:
                line = self._imap.readline()
                if line.endswith(b"EXISTS\r\n"):
                    self._mails = int(line.split()[1])
        self._imap.send(b"DONE\r\n")
        while not line.startswith(tag):
            line = self._imap.readline()

    def _smtp_open(self, step, mailbox):
        self._smtp = smtplib.SMTP_SSL(
            self._hosts[step["host"]], PORT, local_hostname="seat", context=self._context, timeout=TIMEOUT_S
        )
        self._smtp.login(f"user{mailbox}", PASSWORD)

    def _smtp_send(self, step, size):
        self._smtp.sendmail(f"a@{DOMAIN}", [f"user{size % 8}@{DOMAIN}"], mail_text(size))
