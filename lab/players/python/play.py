"""Plays the steps of an activity (scenario/step.ts) with whatever means a client has; as play.ts does."""

import asyncio
import json
import sys
import time

PAGE_PARALLEL = 6
OPENING_BYTES = 160
FILLING = "k3v9xq7wz1m5n8b2c6f4h0j-p_rtydgslaeuioKQWZXVBNMHGFDSPOIUYTREwq8d7s6a5f4g3h2j1k0lzmxncbv"


def padding(count):
    return (FILLING * (count // len(FILLING) + 1))[: max(count, 0)]


def padded(order, count):
    return order + padding(count - len(order))


def opening_of(step):
    return padded(f"!{step['push']}|", OPENING_BYTES)


def order_of(send):
    answers = "_".join(f"{after}.{size}" for after, size in send["replies"])
    return padded(answers + "|", send["up"])


def get_path(step):
    path = f"/g/{step['down']}/{step['hold']}/{step.get('rate', 0)}"
    return path + ("?" + padding(step["up"]) if step.get("up") else "")


def post_path(step):
    return f"/u/{step['down']}/{step['hold']}"


async def pause(until):
    """`until` is of time.monotonic()."""
    left = until - time.monotonic()
    if left > 0:
        await asyncio.sleep(left)


async def play(steps, means):
    for step in steps:
        await play_step(step, means)


async def play_step(step, means):
    op = step["op"]
    if op == "wait":
        await asyncio.sleep(step["ms"] / 1000)
    elif op == "get":
        await means.get(step)
    elif op == "post":
        await means.post(step)
    elif op == "page":
        if hasattr(means, "page"):
            return await means.page(step)
        await means.get(step)
        await together([means.get] * len(step["objects"]), step["objects"], PAGE_PARALLEL)
    elif op == "channel":
        await means.channel(step)
    elif op == "play":
        await means.play(step)
    elif op in ("imap", "smtp"):
        await means.mail(step)
    elif op == "sequence":
        await play(step["steps"], means)
    elif op == "together":
        each = [lambda one: play_step(one, means)] * len(step["steps"])
        await together(each, step["steps"], step["limit"])
    elif op == "pace":
        start = time.monotonic()
        for i, one in enumerate(step["steps"]):
            await pause(start + (i - step["ahead"]) * step["every"] / 1000)
            await play_step(one, means)


async def together(each, steps, limit):
    lanes = asyncio.Semaphore(max(limit, 1))

    async def lane(do, step):
        async with lanes:
            await do(step)

    await asyncio.gather(*(lane(do, step) for do, step in zip(each, steps)))


async def play_sends(channel, send):
    """Hands over each message when its time has come; over after `lasts`."""
    start = time.monotonic()
    for one in channel["sends"]:
        await pause(start + one["at"] / 1000)
        await send(one)
    await pause(start + channel["lasts"] / 1000)


async def perform(activity, open_means):
    start_us = time.time_ns() // 1000
    outcome = {"id": activity["id"], "startUs": start_us}
    means = None
    try:
        means = await open_means(activity)
        await asyncio.wait_for(play(activity["steps"], means), activity["within"] / 1000)
    except asyncio.TimeoutError:
        pass  # Time that is over is no fault.
    except Exception as fault:  # Whatever a library throws is told, and the next activity played.
        outcome["fault"] = f"{type(fault).__name__}: {fault}".split("\n")[0]
    if means is not None:
        try:
            await asyncio.wait_for(means.close(), 5)
        except Exception:  # It is over one way or the other.
            pass
    outcome["endUs"] = time.time_ns() // 1000
    return outcome


async def player_loop(open_means):
    """A line of JSON an activity in, a line an outcome out; ../player-loop.ts."""
    print("ready", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await perform(json.loads(line), open_means)), flush=True)
