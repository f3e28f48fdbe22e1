// How flows end: closed, silent, pushed out, or because the capture does.
#include <algorithm>
#include <tuple>

#include "flow-table.hpp"

namespace sluice {
namespace {

/** Flows that an eviction compares. */
constexpr std::uint32_t kEvictionSample = 8;
/** Above any silence. */
constexpr std::uint64_t kExpendable = std::uint64_t{1} << 32U;

}  // namespace

std::uint32_t FlowTable::timeoutMs(const Entry& entry) const {
  if ((entry.state & kClosed) != 0) return options_.closeLingerMs;
  return entry.key.protocol == kProtocolTcp ? options_.tcpIdleTimeoutMs
                                            : options_.udpIdleTimeoutMs;
}

/**
 * The clock's lower half will do: no flow is left alone for the 49 days after which it
 * turns over.
 */
std::uint32_t FlowTable::silentMs(const Entry& entry) const {
  return static_cast<std::uint32_t>(clock_.nowMs()) - entry.lastMs;
}

bool FlowTable::carriesPayload(const Entry& entry) const {
  if ((entry.state & kHasRecord) == 0) return false;
  const RecordHeader& header = store_[entry.recordOrSequence].header;
  return (header.payloadBytes[0] | header.payloadBytes[1]) != 0;
}

void FlowTable::noteClosing(std::uint32_t flow, const Packet& packet,
                            Direction direction) {
  Entry& entry = entries_[flow];
  if ((packet.tcpFlags & (kTcpFin | kTcpRst)) == 0 || (entry.state & kClosed) != 0) {
    return;
  }
  if ((packet.tcpFlags & kTcpFin) != 0) {
    entry.state |= direction == Direction::kUp ? kFinUp : kFinDown;
  }
  const bool reset = (packet.tcpFlags & kTcpRst) != 0;
  const bool finished = (entry.state & (kFinUp | kFinDown)) == (kFinUp | kFinDown);
  if (!reset && !finished) return;
  entry.state |= kClosed;
  entry.closeReason = finished ? EndReason::kFin : EndReason::kRst;
  entry.lastMs = static_cast<std::uint32_t>(clock_.nowMs());
  wheel_.cancel(flow);
  wheel_.schedule(flow, clock_.nowMs() + options_.closeLingerMs);
}

/** The clock believes the stamp before: that packet's flow was seen now, not before the
 * gap. */
void FlowTable::believe() {
  Entry& entry = entries_[doubted_];
  doubted_ = kNone;
  if (clock_.doubts() || (entry.state & kInUse) == 0 || (entry.state & kClosed) != 0)
    return;
  entry.lastMs = static_cast<std::uint32_t>(clock_.nowMs());
  if ((entry.state & kHasRecord) != 0)
    store_[entry.recordOrSequence].startMs = entry.lastMs;
}

void FlowTable::expire() {
  const std::uint64_t nowMs = clock_.nowMs();
  wheel_.advance(nowMs, [this, nowMs](std::uint32_t flow) {
    const Entry& entry = entries_[flow];
    const std::uint32_t timeout = timeoutMs(entry);
    const std::uint32_t silent = silentMs(entry);
    if (silent < timeout) {
      wheel_.schedule(flow, nowMs + (timeout - silent));
      return;
    }
    end(flow, (entry.state & kClosed) != 0 ? entry.closeReason : EndReason::kIdle);
  });
}

void FlowTable::end(std::uint32_t flow, EndReason reason) {
  Entry& entry = entries_[flow];
  ++counters_.flowsEnded[static_cast<std::size_t>(reason)];
  const bool payload = carriesPayload(entry);
  if (!payload) ++counters_.flowsWithoutPayload;
  if ((entry.state & kHasRecord) != 0) {
    if (payload) {
      store_.end(entry.recordOrSequence, reason);
    } else {
      store_.discard(entry.recordOrSequence);
    }
  }
  index_.erase(hasher_(entry.key), flow);
  wheel_.cancel(flow);
  entry.state = 0;
  entry.recordOrSequence = freeEntry_;
  freeEntry_ = flow;
  --activeFlows_;
}

/** First what is closed or has shown no payload, then what has been silent for longest.
 */
std::uint64_t FlowTable::evictionScore(const Entry& entry) const {
  const bool expendable = (entry.state & kClosed) != 0 || !carriesPayload(entry);
  return std::uint64_t{silentMs(entry)} | (expendable ? kExpendable : 0);
}

/** The most expendable of a few flows. `flowAt(i)` gives one for any i below `count`. */
template <class FlowAt>
std::uint32_t FlowTable::pickVictim(std::uint32_t count, const FlowAt& flowAt) {
  std::uint32_t victim = kNone;
  std::uint64_t most = 0;
  for (std::uint32_t i = 0; i < kEvictionSample; ++i) {
    // Knuth's linear congruential generator; the same choice for the same frames.
    pick_ = pick_ * 6364136223846793005U + 1442695040888963407U;
    const std::uint32_t flow =
        flowAt(static_cast<std::uint32_t>((pick_ >> 32U) * count >> 32U));
    const std::uint64_t score = evictionScore(entries_[flow]);
    if (victim != kNone && score <= most) continue;
    victim = flow;
    most = score;
  }
  return victim;
}

/**
 * The table is full. The sample makes it cheap; it nearly always holds one of the flows
 * that a flood of scans is made of, while of few new flows among many old ones it nearly
 * never holds any.
 */
void FlowTable::evictFlow() {
  end(pickVictim(options_.maxFlows, [](std::uint32_t i) { return i; }),
      EndReason::kEvicted);
}

/** All records are live: one of their flows gives way. */
void FlowTable::evictRecord() {
  end(pickVictim(store_.capacity(), [this](std::uint32_t i) { return store_[i].flow; }),
      EndReason::kEvicted);
}

void FlowTable::flush() {
  std::uint32_t live = 0;
  for (std::uint32_t flow = 0; flow < freshEntry_; ++flow) {
    const Entry& entry = entries_[flow];
    if ((entry.state & kInUse) == 0) continue;
    if (carriesPayload(entry)) {
      flushOrder_[live++] = flow;
    } else {
      end(flow, (entry.state & kClosed) != 0 ? entry.closeReason : EndReason::kFlush);
    }
  }
  const std::span<std::uint32_t> order(&flushOrder_[0], live);
  std::ranges::sort(order, {}, [this](std::uint32_t flow) {
    const Entry& entry = entries_[flow];
    return std::tuple(entry.firstNs, store_[entry.recordOrSequence].header.serial);
  });
  for (const std::uint32_t flow : order) {
    const Entry& entry = entries_[flow];
    end(flow, (entry.state & kClosed) != 0 ? entry.closeReason : EndReason::kFlush);
  }
}

}  // namespace sluice
