// Any frames at any times -> flow table: each is counted once, each flow ends, nothing is
// left in use, and a batch does what its frames do one by one.
#include <cstring>
#include <numeric>
#include <vector>

#include "flow-table.hpp"
#include "input.hpp"

namespace sluice::fuzz {
namespace {

constexpr std::uint64_t kStartNs = 1'700'000'000'000'000'000;

/** Small, so that an input of some 100 frames meets every bound. */
const FlowTableOptions kOptions = {.maxFlows = 20,
                                   .maxRecords = 16,
                                   .poolBytes = 1U << 17U,
                                   .seriesPackets = 24,
                                   .payloadBytes = 8'192,
                                   .tcpIdleTimeoutMs = 60'000,
                                   .udpIdleTimeoutMs = 10'000,
                                   .activeTimeoutMs = 30'000,
                                   .closeLingerMs = 1'000,
                                   .seed = 1};

/** As a capture thread has it: flows are asked for while they go on. */
FlowTableOptions liveOptions() {
  FlowTableOptions options = kOptions;
  options.readyPackets = {2, 5, 20, 0};
  options.readyAfterMs = 400;
  options.mtu = 1'400;
  return options;
}

/** Frames that are fed at once; the table is drained behind them. */
using Batch = std::vector<Frame>;

constexpr std::size_t littleEndian(std::size_t low, std::size_t high) {
  return low | high << 8U;
}

std::vector<Batch> batchesOf(Bytes input) {
  constexpr std::array<std::uint64_t, 4> kUnitNs = {1'000, 1'000'000, 1'000'000'000,
                                                    3'600'000'000'000};
  std::vector<Batch> batches(1);
  std::uint64_t timeNs = kStartNs;  // may turn over: a table takes any stamp
  Cursor cursor(input);
  while (const auto header = cursor.take<kChunkHeaderBytes>()) {
    const std::uint8_t bits = header->u8<1>();
    const std::size_t time = littleEndian(header->u8<2>(), header->u8<3>());
    const std::size_t length = littleEndian(header->u8<4>(), header->u8<5>());
    if ((bits & kDrainBefore) != 0) batches.emplace_back();
    const std::uint64_t stepNs = time * kUnitNs[bits >> kUnitShift];
    timeNs = (bits & kBackwards) != 0 ? timeNs - stepNs : timeNs + stepNs;
    const Bytes rest = cursor.rest();
    const Bytes bytes = rest.first(std::min(rest.size(), length));
    Frame frame = frameOf(header->u8<0>(), bits, bytes);
    frame.timeNs = static_cast<std::int64_t>(timeNs);
    // Any size that the kernel might tell of joined packets, often none.
    if ((header->u8<0>() & 0x80U) != 0) frame.segmentBytes = header->u8<2>() * 9U;
    const std::size_t times = (bits & kRepeat) != 0 ? kRepeats : 1;
    batches.back().insert(batches.back().end(), times, frame);
    require(cursor.skip(bytes.size()), "the input holds the frame");
  }
  return batches;
}

/** A table, and all that came out of it. */
class Run {
 public:
  explicit Run(const FlowTableOptions& options = kOptions)
      : table_(options), into_(table_.maxRecordBytes()) {
    require(table_.ok(), "there is memory for the table");
  }

  void feed(std::span<const Frame> frames) {
    while (!frames.empty()) {
      frames = frames.subspan(table_.feed(frames));
      if (table_.needsDrain()) drain();
    }
    drain();
  }

  void feedOneByOne(std::span<const Frame> frames) {
    for (const Frame& frame : frames) {
      table_.process(frame);
      if (table_.needsDrain()) drain();
    }
    drain();
  }

  /** Goes on when a drain is due: new flows may find no record. */
  void feedCarelessly(std::span<const Frame> frames) {
    for (const Frame& frame : frames) table_.process(frame);
    drain();
  }

  /** As a capture thread does: nobody may take the records for a while, and time goes on.
   */
  void feedLive(std::span<const Frame> frames) {
    table_.feedAll(frames);
    if (!frames.empty() && frames.back().linkType == kLinkEthernet) {
      table_.advance(frames.back().timeNs);
      drain();
    }
  }

  void finish(std::uint64_t frames) {
    table_.flush();
    drain();
    const FlowCounters& counters = table_.counters();
    const auto sum = [](const auto& counts) {
      return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
    };
    require(counters.frames == frames, "each frame is counted");
    require(counters.packets + sum(counters.drops) == frames,
            "each frame is a packet or a drop");
    require(sum(counters.flowsEnded) == counters.flowsCreated, "each flow ends");
    require(records_ + counters.flowsGivenUp + counters.flowsWithoutPayload ==
                counters.flowsCreated,
            "each flow with payload has a record, or is given up");
    const FlowGauges gauges = table_.gauges();
    require(gauges.activeFlows == 0, "no flow is active");
    require(gauges.recordsInUse == 0, "no record is in use");
    require(gauges.recordsEnded == 0 && gauges.recordsReady == 0, "no record waits");
    require(gauges.chunksInUse == 0, "no chunk is in use");
  }

  /** Both have seen the same frames. */
  void compare(const Run& other) const {
    require(written_ == other.written_,
            "a batch writes what its frames write one by one");
    // Numbers of one width: no padding.
    static_assert(std::has_unique_object_representations_v<FlowCounters>);
    require(std::memcmp(&table_.counters(), &other.table_.counters(),
                        sizeof(FlowCounters)) == 0,
            "a batch counts what its frames count one by one");
  }

 private:
  void drain() {
    for (;;) {
      const Drained drained = table_.drain(into_);
      if (drained.records == 0) break;
      const Bytes bytes = Bytes(into_).first(drained.bytes);
      records_ += checkRecords(bytes, drained.records);
      written_.insert(written_.end(), bytes.begin(), bytes.end());
    }
    require(!table_.hasOutput(), "a drain takes all");
  }

  /** How many of them are of flows that have ended. */
  static std::uint64_t checkRecords(Bytes bytes, std::uint32_t count) {
    std::uint64_t ended = 0;
    for (; count > 0; --count) {
      RecordHeader header;
      require(bytes.size() >= sizeof(header), "a record has its header");
      std::memcpy(&header, bytes.data(), sizeof(header));
      require(header.recordBytes % 8 == 0 && header.recordBytes <= bytes.size(),
              "a record is whole");
      require(header.seriesPackets <= kOptions.seriesPackets, "the series has its bound");
      require(header.segmentBytes <= 2 * kOptions.payloadBytes,
              "the payload has its bound");
      require((header.payloadBytes[0] | header.payloadBytes[1]) != 0,
              "a flow with a record has payload");
      if (header.endReason != EndReason::kOpen) ++ended;
      bytes = bytes.subspan(header.recordBytes);
    }
    require(bytes.empty(), "records lie back to back");
    return ended;
  }

  FlowTable table_;
  std::vector<std::byte> into_;
  std::vector<std::byte> written_;
  std::uint64_t records_ = 0;
};

/** The first byte picks one of three ways: more in one run would only make it slower. */
void run(Bytes input) {
  if (input.empty()) return;
  const std::vector<Batch> batches = batchesOf(input.subspan(1));
  const auto way = std::to_integer<unsigned>(input.front()) % 3;
  std::uint64_t frames = 0;
  Run first(way == 2 ? liveOptions() : kOptions);
  for (const Batch& batch : batches) {
    if (way == 0) first.feed(batch);
    if (way == 1) first.feedCarelessly(batch);
    if (way == 2) first.feedLive(batch);
    frames += batch.size();
  }
  first.finish(frames);
  if (way != 0) return;
  Run single;
  for (const Batch& batch : batches) single.feedOneByOne(batch);
  single.finish(frames);
  first.compare(single);
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
