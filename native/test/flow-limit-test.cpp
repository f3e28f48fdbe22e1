// Full tables, pools and queues.
#include <vector>

#include "check.hpp"
#include "flows.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

Segment client(unsigned number) {
  return {.from = 10 + number, .fromPort = 1'024 + number, .payload = 100};
}

void memory(Suite& suite) {
  suite.test("limits: the default table takes less than 100 MB", [](Check& check) {
    const FlowTable table{FlowTableOptions{}};
    check.that(table.ok(), "made");
    check.that(table.memoryBytes() < 100'000'000, "memory");
    check.that(table.memoryBytes() > 64U << 20U, "the pool is in it");
  });
  suite.test("limits: bounds of the options", [](Check& check) {
    check.that(FlowTableOptions{}.valid(), "defaults");
    check.that(!FlowTableOptions{.maxFlows = 0}.valid(), "no flows");
    check.that(!FlowTableOptions{.maxFlows = 100, .maxRecords = 101}.valid(),
               "more records");
    check.that(!FlowTableOptions{.seriesPackets = 1'025}.valid(), "long series");
    check.that(!FlowTableOptions{.payloadBytes = 65'537}.valid(), "much payload");
    check.that(!FlowTableOptions{.activeTimeoutMs = 0}.valid(), "no time");
  });
  suite.test("limits: without series and payload counters are right, the pool unused",
             [](Check& check) {
               FlowTableOptions options = small();
               options.seriesPackets = 0;
               options.payloadBytes = 0;
               Bench bench(options);
               bench.handshake(0, client(1));
               bench.tcp(10, client(1).with(kTcpAck, 100));
               check.equal(bench.table().gauges().chunksPeak, 0, "pool");
               const auto records = bench.finish();
               check.equal(records.size(), 1, "records");
               check.equal(records.front().series.size(), 0, "series");
               check.equal(records.front().header.packets[0], 3, "packets up");
               check.equal(records.front().header.payloadBytes[0], 100, "payload");
               check.equal(records.front().header.flags & kPayloadCutUp, kPayloadCutUp,
                           "the payload is said to be cut");
             });
  suite.test("limits: memory that cannot be had is told", [](Check& check) {
    constexpr std::size_t kMost = ~std::size_t{0};
    check.that(!FixedArray<std::uint64_t>(kMost / 8).ok(), "all of it");
    check.that(!FixedArray<std::uint64_t>(kMost / 2).ok(), "more than can be counted");
    check.that(!FixedArray<std::uint64_t>(0).ok(), "none");
  });
}

void eviction(Suite& suite) {
  suite.test(
      "limits: a full table pushes out flows, and hands them over", [](Check& check) {
        FlowTableOptions options = small();
        options.maxFlows = 64;
        options.maxRecords = 64;
        Bench bench(options);
        std::vector<Record> records;
        for (unsigned i = 0; i < 200; ++i) {
          bench.tcp(i, client(i));
          const auto ended = bench.drain();
          records.insert(records.end(), ended.begin(), ended.end());
          check.that(bench.table().gauges().activeFlows <= 64, "bound");
        }
        for (const Record& record : records) {
          check.equal(record.header.endReason, EndReason::kEvicted, "reason");
        }
        check.equal(records.size() + bench.finish().size(), 200, "no flow is lost");
      });
  suite.test("limits: a flood of SYNs spares the flows that carry payload",
             [](Check& check) {
               FlowTableOptions options = small();
               options.maxFlows = 64;
               options.maxRecords = 64;
               Bench bench(options);
               for (unsigned i = 0; i < 8; ++i) bench.tcp(i, client(i));
               for (unsigned i = 0; i < 5'000; ++i) {
                 bench.tcp(100 + i, {.from = 3'000 + i, .flags = kTcpSyn});
                 // Each of the good flows speaks every 200 ms.
                 if (i % 25 == 0) bench.tcp(100 + i, client(i / 25 % 8));
               }
               check.equal(bench.drain().size(), 0, "of them pushed out");
               check.equal(bench.finish().size(), 8, "of them there");
             });
  suite.test("limits: without records left a live flow gives way", [](Check& check) {
    FlowTableOptions options = small();
    options.maxRecords = 16;
    Bench bench(options);
    std::size_t records = 0;
    for (unsigned i = 0; i < 100; ++i) {
      if (bench.table().needsDrain()) records += bench.drain().size();
      bench.tcp(i, client(i));
    }
    check.equal(records + bench.finish().size(), 100, "no flow is lost");
    check.equal(bench.dropped(DropReason::kNoRecord), 0, "drops");
  });
  suite.test("limits: who does not drain loses new flows, and they are counted",
             [](Check& check) {
               FlowTableOptions options = small();
               options.maxRecords = 16;
               Bench bench(options);
               for (unsigned i = 0; i < 100; ++i) bench.tcp(i, client(i));
               check.equal(bench.dropped(DropReason::kNoRecord), 83, "drops");
               check.equal(bench.table().counters().packets, 17, "packets");
               check.equal(bench.finish().size(), 17, "records");
             });
}

void pool(Suite& suite) {
  suite.test("limits: a full pool cuts payload and series, nothing else",
             [](Check& check) {
               FlowTableOptions options = small();
               options.poolBytes = 65'536;
               Bench bench(options);
               for (unsigned round = 0; round < 40; ++round) {
                 for (unsigned i = 0; i < 20; ++i) bench.tcp(round, client(i));
               }
               check.that(bench.table().gauges().poolFull > 0, "was full");
               check.equal(bench.table().gauges().chunksPeak, 256, "peak");
               std::uint64_t packets = 0;
               for (const Record& record : bench.finish()) {
                 packets += record.packets();
                 const bool cut = record.header.seriesPackets < 40;
                 check.equal((record.header.flags & kSeriesCut) != 0, cut,
                             "series cut is marked");
                 const bool left = record.segments.size() < 40;
                 check.that(!left || (record.header.flags & kPayloadCutUp) != 0,
                            "payload cut is marked");
               }
               check.equal(packets, 800, "all packets are counted");
               check.equal(bench.table().gauges().chunksInUse, 0, "all chunks are back");
             });
}

void draining(Suite& suite) {
  suite.test("limits: a drain into little room gives whole records, one by one",
             [](Check& check) {
               Bench bench(small());
               for (unsigned i = 0; i < 5; ++i) bench.tcp(i, client(i));
               bench.table().flush();
               Buffer tiny(100);
               check.equal(bench.table().drain(tiny).records, 0, "too little for any");
               check.equal(bench.table().drain({}).records, 0, "nothing at all");
               // Header 208, one packet 16, one segment 112.
               Buffer enough(336 + 335);
               for (unsigned i = 0; i < 5; ++i) {
                 const Drained drained = bench.table().drain(enough);
                 check.equal(drained.records, 1, "records");
                 check.equal(drained.bytes, 336, "bytes");
               }
               check.equal(bench.table().drain(enough).records, 0, "records left");
             });
  suite.test(
      "limits: random traffic through tiny pools keeps the books", [](Check& check) {
        Random random(7);
        FlowTableOptions options = small();
        options.maxFlows = 32;
        options.maxRecords = 20;
        options.poolBytes = 65'536;
        options.payloadBytes = 2'000;
        Bench bench(options);
        std::uint64_t records = 0;
        std::int64_t now = 0;
        for (int i = 0; i < 50'000; ++i) {
          if (bench.table().needsDrain()) records += bench.drain().size();
          Segment segment = client(random() % 60);
          segment.flags = random() % 64;
          segment.sequence = random() % 3;
          segment.payload = random() % 3 == 0 ? random() % 1'400 : 0;
          now += random() % (i % 500 == 0 ? 400'000 : 50);
          bench.tcp(now, random() % 2 == 0 ? segment : segment.reversed());
        }
        records += bench.finish().size();
        const FlowCounters& counters = bench.table().counters();
        std::uint64_t ended = 0;
        for (const std::uint64_t count : counters.flowsEnded) ended += count;
        check.equal(ended, counters.flowsCreated, "every flow ends");
        check.equal(records + counters.flowsWithoutPayload, ended,
                    "and is handed over or counted");
        check.equal(bench.dropped(DropReason::kNoRecord), 0, "no drops");
        check.equal(bench.table().gauges().recordsInUse, 0, "records in use");
        check.equal(bench.table().gauges().chunksInUse, 0, "chunks in use");
        check.that(
            bench.ended(EndReason::kIdle) > 0 && bench.ended(EndReason::kEvicted) > 0 &&
                bench.ended(EndReason::kReused) > 0 && bench.ended(EndReason::kRst) > 0,
            "all ways to end were taken");
      });
}

}  // namespace

void flowLimitTests(Suite& suite) {
  memory(suite);
  eviction(suite);
  pool(suite);
  draining(suite);
}

}  // namespace sluice::test
