// Blocks of frames with their index.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "flows.hpp"
#include "frame-block.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

/** Collects frames as a capture reader does. */
class BlockBuilder {
 public:
  void add(const Buffer& frame, std::uint32_t seconds) {
    const auto length = static_cast<std::uint32_t>(frame.size());
    entry(static_cast<std::uint32_t>(bytes_.size()), length, length, seconds);
    bytes_.insert(bytes_.end(), frame.begin(), frame.end());
  }
  void entry(std::uint32_t offset, std::uint32_t captured, std::uint32_t wire,
             std::uint32_t seconds) {
    index_.insert(index_.end(), {offset, captured, wire, seconds, 0});
  }
  [[nodiscard]] FrameBlock from(std::size_t frame) const {
    return {.bytes = bytes_,
            .index = std::span(index_).subspan(frame * kIndexWords),
            .linkType = kLinkEthernet};
  }
  [[nodiscard]] std::size_t frames() const { return index_.size() / kIndexWords; }

 private:
  Buffer bytes_;
  std::vector<std::uint32_t> index_;
};

/** Feeds the block, draining when told to; returns all records' bytes. */
Buffer readThrough(FlowTable& table, const BlockBuilder& block) {
  Buffer all;
  Buffer into(table.maxRecordBytes());
  const auto drain = [&] {
    for (;;) {
      const Drained drained = table.drain(into);
      if (drained.records == 0) return;
      all.insert(all.end(), into.begin(),
                 into.begin() + static_cast<std::ptrdiff_t>(drained.bytes));
    }
  };
  for (std::size_t taken = 0; taken < block.frames();) {
    taken += feedBlock(table, block.from(taken));
    drain();
  }
  table.flush();
  drain();
  return all;
}

BlockBuilder randomBlock(unsigned seed, std::size_t frames) {
  Random random(seed);
  BlockBuilder block;
  for (std::size_t i = 0; i < frames; ++i) {
    const Segment segment{.from = 1 + random() % 300,
                          .flags = random() % 32,
                          .sequence = random() % 4,
                          .payload = random() % 50};
    block.add(random() % 3 == 0
                  ? udpFrame(segment)
                  : tcpFrame(random() % 2 == 0 ? segment : segment.reversed()),
              static_cast<std::uint32_t>(1'700'000'000 + i / 20));
  }
  return block;
}

}  // namespace

void blockTests(Suite& suite) {
  suite.test(
      "block: entries outside the block are counted, never read", [](Check& check) {
        BlockBuilder block;
        const Buffer frame = udpFrame({.payload = 10});
        const auto length = static_cast<std::uint32_t>(frame.size());
        block.add(frame, 1);
        block.add(frame, 1);
        block.entry(2 * length, 1, length, 1);
        block.entry(length + 1, length, length, 1);
        block.entry(0xffffffff, 0xffffffff, 0, 1);
        block.entry(2 * length + 1, 0, 0, 1);
        block.entry(2 * length, 0, 60, 1);
        Bench bench(small());
        check.equal(feedBlock(bench.table(), block.from(0)), 7, "taken");
        check.equal(bench.dropped(DropReason::kBadIndex), 4, "bad entries");
        check.equal(bench.dropped(DropReason::kShortLinkHeader), 1, "an empty frame");
        check.equal(bench.table().counters().frames, 7, "frames");
        check.equal(bench.table().counters().packets, 2, "packets");
      });
  suite.test(
      "block: feeding stops when the queue of ended flows is full", [](Check& check) {
        BlockBuilder block;
        constexpr std::uint32_t kFlows = 2'000;
        for (std::uint32_t i = 0; i < kFlows; ++i) {
          block.add(udpFrame({.from = i, .payload = 10}), 1'000);
        }
        // All of them are silent when this one comes.
        block.add(udpFrame({.from = 1, .fromPort = 7, .payload = 10}), 1'100);
        block.add(udpFrame({.from = 2, .fromPort = 7, .payload = 10}), 1'100);
        FlowTableOptions options = small();
        options.maxFlows = 4'096;
        options.maxRecords = 4'096;
        Bench bench(options);
        check.equal(feedBlock(bench.table(), block.from(0)), kFlows + 1, "taken");
        check.equal(feedBlock(bench.table(), block.from(kFlows + 1)), 0,
                    "none before a drain");
        check.equal(bench.drain().size(), kFlows, "records");
        check.equal(feedBlock(bench.table(), block.from(kFlows + 1)), 1, "the rest");
        check.equal(bench.finish().size(), 2, "the last flows");
      });
  suite.test("block: nothing is lost or changed when records run short",
             [](Check& check) {
               const BlockBuilder block = randomBlock(8, 20'000);
               FlowTableOptions options = small();
               options.maxRecords = 64;
               Bench bench(options);
               const Buffer bytes = readThrough(bench.table(), block);
               std::uint64_t packets = 0;
               for (const Record& record : parseRecords(bytes))
                 packets += record.packets();
               check.equal(bench.dropped(DropReason::kNoRecord), 0, "drops");
               check.that(packets <= 20'000 && packets > 15'000, "packets in records");
             });
  suite.test("block: the records do not depend on the seed", [](Check& check) {
    const BlockBuilder block = randomBlock(9, 20'000);
    FlowTableOptions options = small();
    Bench first(options);
    const Buffer want = readThrough(first.table(), block);
    check.that(want.size() > 100'000, "there are records");
    for (const std::uint64_t seed : {2U, 3U}) {
      options.seed = seed;
      Bench other(options);
      check.that(readThrough(other.table(), block) == want, "same bytes");
    }
  });
  suite.test("block: frame by frame gives what the whole block gives", [](Check& check) {
    const BlockBuilder block = randomBlock(10, 5'000);
    Bench whole(small());
    const Buffer want = readThrough(whole.table(), block);
    Bench single(small());
    Buffer got;
    Buffer into(single.table().maxRecordBytes());
    const auto drain = [&] {
      while (single.table().gauges().recordsEnded > 0) {
        const Drained drained = single.table().drain(into);
        got.insert(got.end(), into.begin(),
                   into.begin() + static_cast<std::ptrdiff_t>(drained.bytes));
      }
    };
    for (std::size_t i = 0; i < block.frames(); ++i) {
      FrameBlock one = block.from(i);
      one.index = one.index.first(kIndexWords);
      drain();
      check.equal(feedBlock(single.table(), one), 1, "taken");
    }
    single.table().flush();
    drain();
    check.that(got == want, "same bytes");
  });
}

}  // namespace sluice::test
