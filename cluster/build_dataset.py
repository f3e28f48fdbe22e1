"""Captures on shared storage -> the data set that `sluice dataset build` makes on one machine, by the executors of a Spark cluster.

    spark-submit cluster/build_dataset.py --out /shared/set /shared/captures -- --labels /shared/labels.yaml

Spark deals out captures and starts again what failed; what is built, and how, is sluice's alone: each task runs
`sluice dataset build --shards-only` over a group of captures, the driver ends with `sluice dataset finish`. Shards that stand
are kept, so a job that was ended goes on where it was. How to run it: docs/cluster.md.
"""

from __future__ import annotations

import argparse
import heapq
import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

EXIT_DONE = 0
EXIT_WRONG_INPUT = 2
# As src/dataset/find-captures.ts has it.
CAPTURE_NAME = re.compile(r"\.pcap(ng)?(\.gz)?$", re.IGNORECASE)
# Groups a core: with one, whoever gets the slowest machine is waited for; with many, sluice is started for little.
GROUPS_A_CORE = 2
# Captures a call of sluice: a command line has an end (128 KiB an argument, 2 MiB in all, on Linux).
CAPTURES_A_CALL = 1000
# The job's own.
NOT_TO_PASS = ("--out", "--workers", "--shards-only", "--json")


class Group(NamedTuple):
    """Captures of one task."""

    paths: list[str]
    size: int


class Built(NamedTuple):
    """What a task came to: lines for `sluice dataset finish`, and words for people."""

    lines: list[str]
    words: list[str]
    wrong_input: bool


def find_captures(names: list[str]) -> list[tuple[str, int]]:
    """Files as named, and those in folders that are called like captures, with their sizes; by path.

    A name that is nothing is passed on with size 0: sluice says what is wrong with it.
    """
    found: dict[str, int] = {}
    for name in names:
        path = os.path.abspath(name)
        if not os.path.isdir(path):
            found[path] = os.path.getsize(path) if os.path.exists(path) else 0
            continue
        for folder, _, files in os.walk(path):
            for file in filter(CAPTURE_NAME.search, files):
                inside = os.path.join(folder, file)
                found[inside] = os.path.getsize(inside)
    return sorted(found.items())


def balanced_groups(captures: list[tuple[str, int]], count: int) -> list[Group]:
    """At most `count` groups of about the same bytes: the biggest capture first, each to the smallest group so far."""
    count = min(count, len(captures))
    groups: list[list[str]] = [[] for _ in range(count)]
    heap = [(0, i) for i in range(count)]
    for path, size in sorted(captures, key=lambda capture: (-capture[1], capture[0])):
        total, i = heapq.heappop(heap)
        groups[i].append(path)
        heapq.heappush(heap, (total + size, i))
    sizes = {i: total for total, i in heap}
    return [Group(paths, sizes[i]) for i, paths in enumerate(groups)]


def build_group(group: Group, command: list[str]) -> Built:
    """Runs on an executor. Captures that cannot be read are told, not raised: trying again would not mend them."""
    lines: list[str] = []
    words: list[str] = []
    wrong_input = False
    for start in range(0, len(group.paths), CAPTURES_A_CALL):
        paths = group.paths[start : start + CAPTURES_A_CALL]
        done = subprocess.run(
            [*command, "--", *paths], capture_output=True, encoding="utf-8", check=False
        )
        if done.returncode not in (EXIT_DONE, EXIT_WRONG_INPUT):
            # Spark starts the task again, on another machine if there is one; what stands is kept.
            raise RuntimeError(f"sluice ended with {done.returncode}: {done.stderr[-2000:]}")
        wrong_input = wrong_input or done.returncode == EXIT_WRONG_INPUT
        lines += done.stdout.splitlines()
        words += done.stderr.splitlines()
    return Built(lines, words, wrong_input)


def finish(sluice: list[str], out: str, lines: list[str]) -> int:
    """Writes dataset.json over what the tasks have built."""
    command = [*sluice, "dataset", "finish", "--json", "--out", out, "-"]
    text = "".join(f"{line}\n" for line in lines)
    return subprocess.run(command, input=text, encoding="utf-8", check=False).returncode


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Our own arguments, and what stands behind -- for `sluice dataset build`."""
    passed: list[str] = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, passed = arguments[:at], arguments[at + 1 :]
    parser = argparse.ArgumentParser(
        prog="build_dataset.py",
        description="Build a data set of captures on a Spark cluster.",
        epilog="Options of `sluice dataset build` stand behind --, as in: ... -- --labels FILE --key FILE",
    )
    parser.add_argument(
        "captures", nargs="+", help="files or folders, under the same path on driver and executors"
    )
    parser.add_argument("--out", required=True, help="the data set, on storage that all of them share")
    parser.add_argument(
        "--sluice", default="sluice", help="the command on driver and executors (default: sluice)"
    )
    parser.add_argument(
        "--groups", type=int, help=f"tasks (default: {GROUPS_A_CORE} a core of the cluster)"
    )
    options = parser.parse_args(arguments)
    if options.groups is not None and options.groups < 1:
        parser.error("--groups: expected a whole number from 1")
    for name in NOT_TO_PASS:
        if any(word == name or word.startswith(f"{name}=") for word in passed):
            parser.error(f"{name} is the job's own: it does not stand behind --")
    return options, passed


def main(arguments: list[str]) -> int:
    options, passed = parse(arguments)
    out = os.path.abspath(options.out)
    captures = find_captures(options.captures)
    if not captures:
        print(f"build_dataset: no captures in {', '.join(options.captures)}", file=sys.stderr)
        return EXIT_WRONG_INPUT

    # Here, so that --help and the tests of what is above need no Spark.
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("sluice dataset").getOrCreate()
    context = spark.sparkContext
    cores = int(context.getConf().get("spark.task.cpus", "1"))
    groups = balanced_groups(captures, options.groups or GROUPS_A_CORE * context.defaultParallelism)
    sluice = shlex.split(options.sluice)
    command = [*sluice, "dataset", "build", "--shards-only", "--workers", str(cores), "--out", out, *passed]
    size = sum(group.size for group in groups)
    print(
        f"build_dataset: {len(captures)} captures of {size:,} bytes in {len(groups)} groups", file=sys.stderr
    )
    try:
        # One group a partition: a task that fails is tried again for its own captures alone.
        tasks = context.parallelize(groups, len(groups))
        built = tasks.map(lambda group: build_group(group, command)).collect()
    finally:
        spark.stop()
    for task in built:
        for line in task.words:
            print(line, file=sys.stderr)
    code = finish(sluice, out, [line for task in built for line in task.lines])
    if code != EXIT_DONE:
        return code
    return EXIT_WRONG_INPUT if any(task.wrong_input for task in built) else EXIT_DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
