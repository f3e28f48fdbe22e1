// Flows that are handed over while they go on, packets that were joined, and a table that
// nobody empties.
#include <vector>

#include "check.hpp"
#include "flows.hpp"

namespace sluice::test {
namespace {

Segment client(unsigned number, std::size_t payload = 100) {
  return {.from = 10 + number, .fromPort = 1'024 + number, .payload = payload};
}

FlowTableOptions readyAt(std::array<std::uint16_t, 4> packets,
                         std::uint32_t afterMs = 0) {
  FlowTableOptions options = small();
  options.readyPackets = packets;
  options.readyAfterMs = afterMs;
  return options;
}

void ready(Suite& suite) {
  suite.test("ready: a flow is handed over open at each threshold, then ended",
             [](Check& check) {
               Bench bench(readyAt({3, 5}));
               std::vector<Record> records;
               for (unsigned i = 0; i < 8; ++i) {
                 bench.tcp(i, client(1));
                 for (Record& record : bench.drain()) records.push_back(record);
               }
               for (Record& record : bench.finish()) records.push_back(record);
               check.equal(records.size(), 3, "records");
               const std::array<std::uint64_t, 3> packets = {3, 5, 8};
               for (std::size_t i = 0; i < records.size(); ++i) {
                 const RecordHeader& header = records[i].header;
                 check.equal(records[i].packets(), packets[i], "packets");
                 check.equal(header.handovers, i, "handovers before");
                 check.equal(header.serial, records[0].header.serial, "one flow");
                 check.equal(header.endReason,
                             i == 2 ? EndReason::kFlush : EndReason::kOpen, "state");
               }
             });
  suite.test("ready: thresholds passed between two drains give one record",
             [](Check& check) {
               Bench bench(readyAt({2, 3, 4}));
               for (unsigned i = 0; i < 6; ++i) bench.tcp(i, client(1));
               const auto records = bench.drain();
               check.equal(records.size(), 1, "records");
               check.equal(records.front().packets(), 6, "as it is now");
             });
  suite.test("ready: without payload a flow is not ready, however many its packets",
             [](Check& check) {
               Bench bench(readyAt({3}, 50));
               for (unsigned i = 0; i < 9; ++i) bench.tcp(i, client(1, 0));
               bench.table().advance(kStartMs * kMsNs + 500 * kMsNs);
               check.equal(bench.drain().size(), 0, "of acknowledgements alone");
               bench.tcp(600, client(1));
               check.equal(bench.drain().size(), 1, "with the first payload");
             });
  suite.test("ready: a flow of few packets is ready after a while, once",
             [](Check& check) {
               Bench bench(readyAt({10}, 200));
               bench.tcp(0, client(1));
               bench.tcp(10, client(2));
               bench.table().advance((kStartMs + 150) * kMsNs);
               check.equal(bench.drain().size(), 0, "too early");
               bench.table().advance((kStartMs + 205) * kMsNs);
               check.equal(bench.drain().size(), 1, "the first");
               bench.table().advance((kStartMs + 1'000) * kMsNs);
               check.equal(bench.drain().size(), 1, "the second");
               bench.table().advance((kStartMs + 2'000) * kMsNs);
               check.equal(bench.drain().size(), 0, "no more");
               check.equal(bench.finish().size(), 2, "ended");
             });
  suite.test("ready: a flow that has ended before it was taken is handed over once",
             [](Check& check) {
               Bench bench(readyAt({1}));
               bench.tcp(0, client(1));
               bench.tcp(1, client(1).with(kTcpRst));
               bench.tcp(20'000, client(2));
               const auto records = bench.drain();
               check.equal(records.size(), 2, "records");
               check.equal(records[0].header.endReason, EndReason::kRst, "ended");
               check.equal(records[1].header.endReason, EndReason::kOpen, "open");
             });
  suite.test("ready: time alone ends what is silent", [](Check& check) {
    Bench bench(small());
    bench.tcp(0, client(1));
    bench.table().advance((kStartMs + 299'000) * kMsNs);
    check.equal(bench.drain().size(), 0, "not yet");
    bench.table().advance((kStartMs + 310'000) * kMsNs);
    const auto records = bench.drain();
    check.equal(records.size(), 1, "ended");
    check.equal(records.front().header.endReason, EndReason::kIdle, "silent");
  });
  suite.test("ready: thresholds that do not grow are refused", [](Check& check) {
    check.that(readyAt({1, 2, 3, 4}).valid(), "four");
    check.that(!readyAt({2, 2}).valid(), "equal");
    check.that(!readyAt({3, 2}).valid(), "falling");
    check.that(!readyAt({0, 2}).valid(), "a gap");
  });
}

/** A frame of `payload` bytes that the kernel has joined of packets of `segment`. */
Frame joined(const Buffer& bytes, std::uint16_t segment) {
  return {.bytes = bytes,
          .wireLength = static_cast<std::uint32_t>(bytes.size()),
          .linkType = kLinkEthernet,
          .timeNs = kStartMs * kMsNs,
          .segmentBytes = segment};
}

void splitting(Suite& suite) {
  suite.test("split: joined packets count and stand in the series as on the wire",
             [](Check& check) {
               Bench bench(small());
               const Segment big = {.flags = kTcpAck | kTcpFin | 8U, .payload = 3'000};
               const Buffer bytes = ethernet(0x0800, ipv4({}, tcp(big)));
               bench.table().process(joined(bytes, 1'448));
               const auto records = bench.finish();
               check.equal(records.size(), 1, "flows");
               const Record& record = records.front();
               check.equal(record.packets(), 3, "packets");
               check.equal(record.header.bytes[0], 3'000 + 3 * 40, "IP bytes");
               check.equal(record.header.payloadPackets[0], 3, "with payload");
               check.equal(record.header.tcpFlags[0][0], 1, "FIN is the last one's");
               check.equal(record.header.tcpFlags[0][4], 3, "ACK is everyone's");
               check.equal(record.series.size(), 3, "series");
               check.equal(record.series[0].payloadLength, 1'448, "first");
               check.equal(record.series[0].ipLength, 1'488, "with its headers");
               check.equal(record.series[0].tcpFlags, kTcpAck, "without FIN and PSH");
               check.equal(record.series[2].payloadLength, 104, "last");
               check.equal(record.series[2].tcpFlags, kTcpAck | kTcpFin | 8, "flags");
               check.equal(record.segments.size(), 1, "payload in one piece");
               check.equal(bench.table().counters().joined, 1, "told");
             });
  suite.test("split: what is longer than the MTU is split in the series alone",
             [](Check& check) {
               FlowTableOptions options = small();
               options.mtu = 1'500;
               Bench bench(options);
               bench.tcp(0, client(1, 4'000));
               const auto records = bench.finish();
               const Record& record = records.front();
               check.equal(record.packets(), 1, "captured as one");
               check.equal(record.series.size(), 3, "series");
               check.equal(record.series[0].ipLength, 1'500, "as much as fits");
               check.equal(record.series[2].payloadLength, 4'000 - 2 * 1'460, "rest");
             });
  suite.test("split: the MSS that was told bounds it", [](Check& check) {
    FlowTableOptions options = small();
    options.mtu = 1'500;
    Bench bench(options);
    const Segment open = client(1, 0);
    Buffer synAck = tcp(open.reversed().with(kTcpSyn | kTcpAck));
    // MSS 1,200 behind the header, whose length grows by one word.
    synAck = synAck + Writer().u8(2).u8(4).be16(1'200).take();
    synAck[12] = static_cast<std::byte>(6U << 4U);
    bench.tcp(0, open.with(kTcpSyn));
    bench.frame(kStartMs * kMsNs + 1'000,
                ethernet(0x0800, ipv4({.from = open.to, .to = open.from}, synAck)));
    bench.tcp(2, client(1, 2'500));
    const auto records = bench.finish();
    check.equal(records.front().series.size(), 2 + 3, "series");
    check.equal(records.front().series[2].payloadLength, 1'200, "by MSS");
  });
  suite.test("split: a long series is cut at its bound", [](Check& check) {
    Bench bench(small());
    const Buffer bytes = ethernet(0x0800, ipv4({}, tcp({.payload = 60'000})));
    bench.table().process(joined(bytes, 10));
    const auto records = bench.finish();
    check.equal(records.front().packets(), 6'000, "packets");
    check.equal(records.front().series.size(), FlowTableOptions{}.seriesPackets,
                "series");
  });
}

void unattended(Suite& suite) {
  suite.test(
      "live: who takes nothing loses the oldest ended flows, and all is counted",
      [](Check& check) {
        FlowTableOptions options = small();
        options.maxFlows = 64;
        options.maxRecords = 32;
        Bench bench(options);
        std::vector<Frame> frames;
        std::vector<Buffer> bytes;
        bytes.reserve(400);
        for (unsigned i = 0; i < 200; ++i) {
          for (const unsigned flags : {kTcpAck, kTcpRst}) {
            bytes.push_back(ethernet(
                0x0800,
                ipv4({.from = 10 + i},
                     tcp({.fromPort = 1'000 + i, .flags = flags, .payload = 50}))));
            frames.push_back({.bytes = bytes.back(),
                              .wireLength = 100,
                              .linkType = kLinkEthernet,
                              .timeNs = (kStartMs + 10'000LL * i) * kMsNs});
          }
        }
        bench.table().feedAll(frames);
        const FlowCounters& counters = bench.table().counters();
        check.equal(counters.packets, 400, "packets");
        check.equal(bench.dropped(DropReason::kNoRecord), 0, "drops");
        const auto records = bench.finish();
        check.that(counters.flowsGivenUp > 100, "many are given up");
        check.equal(records.size() + counters.flowsGivenUp, 200, "none is forgotten");
        check.equal(records.back().header.clientPort, 1'199, "the latest is there");
      });
}

}  // namespace

void flowReadyTests(Suite& suite) {
  ready(suite);
  splitting(suite);
  unattended(suite);
}

}  // namespace sluice::test
