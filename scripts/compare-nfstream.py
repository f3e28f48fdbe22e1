"""Compares `sluice features` with NFStream (an independent flow meter) over captures.

    python3 -m venv venv && venv/bin/pip install nfstream==6.6.0
    npm run -s build
    venv/bin/python scripts/compare-nfstream.py ../shared/corpus/captures/*.pcap*

Compared are flows that both tell as one flow of the same number of packets, none of them joined by an offload. Captures are put
into the order of time first (reordercap, which comes with tshark): NFStream's clock never runs back, so that a packet stamped
before its predecessor would get the predecessor's time. Ends with 0 when every statistic of every flow is within its
tolerance, with 1 when one is not.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from nfstream import NFStreamer

ROOT = Path(__file__).resolve().parent.parent
SLUICE = ["node", str(ROOT / "dist/src/bin/sluice.js"), "features", "--json", "--steps", "1024"]
MTU = 1500
IP, PAYLOAD = 1, 3  # NFStream's accounting modes

# Sums of doubles in another order.
ROUNDING = 1e-6
# NFStream's clock ticks in milliseconds: the difference of two of its stamps is off by less than one. A deviation is off
# by no more than that of the errors, which is the square root of two for two values.
TICK_US, DEVIATION_US = 1_000.001, 1_500.0

WAYS = {"": "bidirectional", "Up": "src2dst", "Down": "dst2src"}


class Field:
    """One statistic: what NFStream says of it, and how far off it may be."""

    def __init__(self, read, relative=0.0, absolute=0.0):
        self.read, self.relative, self.absolute = read, relative, absolute

    def agrees(self, ours, theirs):
        return abs(ours - theirs) <= self.absolute + self.relative * max(1.0, abs(theirs))


def of(mode, name, scale=1.0):
    return lambda flow: getattr(flow[mode], name) * scale


def fields():
    found = {
        "durationUs": Field(of(IP, "bidirectional_duration_ms", 1e3), absolute=TICK_US),
        "payloadVariance": Field(
            lambda f: f[PAYLOAD].bidirectional_stddev_ps ** 2, relative=ROUNDING
        ),
        "downUpPacketRatio": Field(
            lambda f: f[IP].dst2src_packets / f[IP].src2dst_packets, relative=ROUNDING
        ),
        "downUpByteRatio": Field(
            lambda f: f[IP].dst2src_bytes / f[IP].src2dst_bytes, relative=ROUNDING
        ),
        "firstDownDelayUs": Field(
            lambda f: 1e3 * (f[IP].dst2src_first_seen_ms - f[IP].bidirectional_first_seen_ms),
            absolute=TICK_US,
        ),
    }
    for way in ("Up", "Down"):
        prefix = WAYS[way]
        found[f"packets{way}"] = Field(of(IP, f"{prefix}_packets"))
        found[f"bytes{way}"] = Field(of(IP, f"{prefix}_bytes"))
        found[f"payloadBytes{way}"] = Field(of(PAYLOAD, f"{prefix}_bytes"))
        found[f"headerBytes{way}"] = Field(
            lambda f, n=f"{prefix}_bytes": getattr(f[IP], n) - getattr(f[PAYLOAD], n)
        )
        found[f"iat{way}TotalUs"] = Field(
            of(IP, f"{prefix}_duration_ms", 1e3), absolute=TICK_US
        )
        for flag in ("psh", "urg"):
            found[f"{flag}Packets{way}"] = Field(of(IP, f"{prefix}_{flag}_packets"))
    for flag in ("fin", "syn", "rst", "psh", "ack", "urg", "cwr", "ece"):
        found[f"{flag}Packets"] = Field(of(IP, f"bidirectional_{flag}_packets"))
    for way, prefix in WAYS.items():
        for ours, mode in (("size", IP), ("payload", PAYLOAD)):
            found[f"{ours}{way}Min"] = Field(of(mode, f"{prefix}_min_ps"))
            found[f"{ours}{way}Max"] = Field(of(mode, f"{prefix}_max_ps"))
            found[f"{ours}{way}Mean"] = Field(of(mode, f"{prefix}_mean_ps"), relative=ROUNDING)
            found[f"{ours}{way}Deviation"] = Field(
                of(mode, f"{prefix}_stddev_ps"), relative=ROUNDING
            )
        for ours, theirs, off in (
            ("Min", "min", TICK_US),
            ("Max", "max", TICK_US),
            ("Mean", "mean", TICK_US),
            ("Deviation", "stddev", DEVIATION_US),
        ):
            found[f"iat{way}{ours}Us"] = Field(
                of(IP, f"{prefix}_{theirs}_piat_ms", 1e3), absolute=off
            )
    return found


def key_of(protocol, a, a_port, b, b_port):
    return (protocol, *sorted([(a, a_port), (b, b_port)]))


def sluice_flows(capture):
    run = subprocess.run([*SLUICE, capture], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(run.stderr)
    return [json.loads(line) for line in run.stdout.splitlines()]


def nfstream_flows(capture, mode):
    flows = {}
    for flow in NFStreamer(
        source=capture,
        statistical_analysis=True,
        accounting_mode=mode,
        n_dissections=0,
        n_meters=1,
        idle_timeout=300,
        active_timeout=1800,
    ):
        protocol = {6: "tcp", 17: "udp"}.get(flow.protocol)
        key = key_of(protocol, flow.src_ip, flow.src_port, flow.dst_ip, flow.dst_port)
        flows.setdefault(key, []).append(flow)
    return flows


class Comparison:
    def __init__(self):
        self.fields = fields()
        self.flows = self.left_out = self.turned = 0
        self.worst = {}
        self.values = dict.fromkeys(self.fields, 0)
        self.different = []

    def capture(self, name):
        with tempfile.TemporaryDirectory() as folder:
            ordered = str(Path(folder) / Path(name).name)
            run = subprocess.run(["reordercap", name, ordered], capture_output=True, check=False)
            # It gives up on a capture that breaks off; such a one is taken as it is.
            self.ordered_capture(name, ordered if run.returncode == 0 else name)

    def ordered_capture(self, name, ordered):
        ours = {}
        for line in sluice_flows(ordered):
            key = key_of(
                line["protocol"],
                line["client"],
                line["clientPort"],
                line["server"],
                line["serverPort"],
            )
            ours.setdefault(key, []).append(line)
        theirs = {mode: nfstream_flows(ordered, mode) for mode in (IP, PAYLOAD)}
        for key, lines in ours.items():
            flows = {mode: theirs[mode].get(key, []) for mode in theirs}
            alone = len(lines) == len(flows[IP]) == len(flows[PAYLOAD]) == 1
            if alone and self.same_packets(lines[0], flows[IP][0]):
                self.flow(name, lines[0], {mode: flows[mode][0] for mode in flows})
            else:
                self.left_out += len(lines)

    @staticmethod
    def same_packets(line, flow):
        joined = line["protocol"] == "tcp" and flow.bidirectional_max_ps > MTU
        packets = flow.bidirectional_packets
        return packets == line["packets"] == len(line["series"]) and not joined

    def flow(self, name, line, flow):
        self.flows += 1
        turned = (flow[IP].src_ip, flow[IP].src_port) != (line["client"], line["clientPort"])
        self.turned += turned
        for statistic, field in self.fields.items():
            if turned and ("Ratio" in statistic or statistic == "firstDownDelayUs"):
                continue
            asked = statistic
            if turned:
                asked = exchanged(statistic)
            ours = line["statistics"][asked]
            # Without a value: NFStream says 0 there, or divides by it.
            if ours is None or isinstance(ours, str):
                continue
            value = field.read(flow)
            self.values[statistic] += 1
            off = abs(ours - value)
            self.worst[statistic] = max(self.worst.get(statistic, 0), off)
            if not field.agrees(ours, value):
                self.different.append(
                    f"{Path(name).name} {line['client']}:{line['clientPort']} "
                    f"{line['server']}:{line['serverPort']}: {statistic} {ours}, NFStream {value}"
                )


def exchanged(statistic):
    if "Up" in statistic:
        return statistic.replace("Up", "Down")
    return statistic.replace("Down", "Up")


def main(captures):
    if not captures:
        print(__doc__, file=sys.stderr)
        return 2
    comparison = Comparison()
    for capture in captures:
        comparison.capture(capture)
    for statistic, field in comparison.fields.items():
        print(
            f"{statistic:22} {comparison.values[statistic]:6} values, largest difference "
            f"{comparison.worst.get(statistic, 0):.6g}, allowed {field.absolute:g} + {field.relative:g} of the value"
        )
    for line in comparison.different:
        print(f"different: {line}")
    bad = {line.rsplit(": ", 1)[1].split(" ")[0] for line in comparison.different}
    print(
        f"{len(captures)} captures, {comparison.flows} flows compared ({comparison.turned} turned around), "
        f"{comparison.left_out} left out; {len(comparison.fields) - len(bad)} of {len(comparison.fields)} "
        f"statistics agree on all of them, {len(comparison.different)} differences"
    )
    return 1 if comparison.different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
