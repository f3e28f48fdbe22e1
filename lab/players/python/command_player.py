"""Client software "wget" and "aria2c": a program of the command line for each request, or for the requests of a page.

Arguments: which of the two, the authority, a folder for what is loaded. Neither has channels. aria2c cannot post: what a
post would send stands in the address, as far as addresses go.
"""

import asyncio
import os
import sys
import tempfile

from play import PAGE_PARALLEL, get_path, padding, player_loop, post_path

CONNECT_TIMEOUT_S = 20
ADDRESS_BYTES_MOST = 6000


def wget(authority, urls, folder, body):
    posted = []
    if body is not None:
        posted = [f"--post-file={os.path.join(folder, 'body')}"]
        with open(os.path.join(folder, "body"), "w", encoding="ascii") as file:
            file.write(body)
    options = [f"--ca-certificate={authority}", f"--connect-timeout={CONNECT_TIMEOUT_S}", "--tries=1"]
    # Several addresses go one after the other over the same connection.
    return ["wget", "--quiet", "--no-config", "--no-hsts", "--output-document=/dev/null", *options, *posted, *urls], None


def aria2c(authority, urls, folder, _):
    options = [f"--ca-certificate={authority}", f"--connect-timeout={CONNECT_TIMEOUT_S}", "--max-tries=1"]
    files = ["--no-conf", "--quiet", f"--dir={folder}", "--file-allocation=none", f"--max-concurrent-downloads={PAGE_PARALLEL}"]
    # Its own resolver asks for the addresses that the list of hosts has not, and waits.
    files.append("--async-dns=false")
    listed = "".join(f"{url}\n  out={i}\n" for i, url in enumerate(urls))
    return ["aria2c", *files, *options, "--input-file=-"], listed


class CommandMeans:
    def __init__(self, activity, program, authority, folder):
        self._hosts = activity["hosts"]
        self._program = program
        self._authority = authority
        self._folder = folder
        self._running = set()

    def _url(self, step, path):
        return f"https://{self._hosts[step['host']]}{path}"

    async def _run(self, urls, body=None):
        with tempfile.TemporaryDirectory(prefix="player-", dir=self._folder) as folder:
            command, said = self._program(self._authority, urls, folder, body)
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            self._running.add(process)
            try:
                await process.communicate(None if said is None else said.encode())
            finally:
                self._running.discard(process)
                if process.returncode is None:
                    process.kill()
            if process.returncode > 0:
                raise OSError(f"{command[0]} ended with {process.returncode}")

    async def _post(self, step, path, up):
        if self._program is wget:
            await self._run([self._url(step, path)], padding(up))
        else:
            query = padding(min(up, ADDRESS_BYTES_MOST))
            await self._run([self._url(step, f"{path.replace('/u/', '/g/', 1)}/0?{query}")])

    async def get(self, step):
        await self._run([self._url(step, get_path(step))])

    async def page(self, step):
        await self.get(step)
        by_host = {}
        for shown in step["objects"]:
            by_host.setdefault(shown["host"], []).append(self._url(shown, get_path(shown)))
        await asyncio.gather(*(self._run(urls) for urls in by_host.values()))

    async def post(self, step):
        await self._post(step, post_path(step), step["up"])

    async def close(self):
        for process in list(self._running):
            process.kill()


async def main():
    program = {"wget": wget, "aria2c": aria2c}[sys.argv[1]]

    async def open_means(activity):
        return CommandMeans(activity, program, *sys.argv[2:4])

    await player_loop(open_means)


asyncio.run(main())
