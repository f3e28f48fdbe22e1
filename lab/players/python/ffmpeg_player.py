"""Client software "ffmpeg": plays films, as a set-top box or a media centre does. No arguments."""

import asyncio
import os

from play import player_loop

# In the order of media/films.ts: name and number of qualities.
FILMS = os.environ["LAB_FILMS"].split(",")


class FfmpegMeans:
    def __init__(self, activity):
        self._hosts = activity["hosts"]
        self._running = None

    async def play(self, step):
        film = FILMS[step["film"] % len(FILMS)]
        name, qualities = film.split(":")
        # It does not choose by what the line bears: its user does.
        quality = (step["film"] // len(FILMS)) % int(qualities)
        url = f"https://{self._hosts[step['host']]}/h/{name}/film.m3u8"
        command = ["ffmpeg", "-v", "error", "-nostdin", "-re", "-i", url, "-map", f"0:p:{quality}"]
        self._running = await asyncio.create_subprocess_exec(
            *command,
            *["-t", f"{step['lasts'] / 1000}", "-f", "null", "-"],
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await self._running.communicate()
        if self._running.returncode > 0:
            raise OSError(f"ffmpeg: {said.decode()[-200:]}")

    async def close(self):
        if self._running is not None and self._running.returncode is None:
            self._running.kill()


async def main():
    async def open_means(activity):
        return FfmpegMeans(activity)

    await player_loop(open_means)


asyncio.run(main())
