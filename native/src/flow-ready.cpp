// When flows are handed over that go on, and what gives way when nobody takes what is
// handed over.
#include "flow-table.hpp"

namespace sluice {
namespace {

/** Ended flows that wait before feeding stops. */
constexpr std::uint32_t kMaxEnded = 1'024;
/** Ready ones, of a table that asks for them. */
constexpr std::size_t kMaxReady = 512;
/** Chunks that one packet may take: payloadBytes and a whole series at their greatest. */
constexpr std::uint32_t kChunkReserve = 262 + 49;

}  // namespace

bool FlowTable::wantsRoom() const {
  return store_.ended() > 0 &&
         (store_.free() == 0 || store_.chunks().free() < kChunkReserve);
}

bool FlowTable::needsDrain() const {
  return store_.ended() >= kMaxEnded || store_.ready() >= kMaxReady || wantsRoom();
}

void FlowTable::makeRoom() {
  while (wantsRoom()) {
    store_.giveUpEnded();
    ++counters_.flowsGivenUp;
  }
}

void FlowTable::advance(std::int64_t nowNs) { observe(nowNs); }

/** A flow that has passed its next threshold is handed over, still open. */
void FlowTable::noteReady(std::uint32_t record) {
  RecordStore::Slot& slot = store_[record];
  const auto& thresholds = options_.readyPackets;
  if (slot.readySteps == thresholds.size() || thresholds[slot.readySteps] == 0) return;
  const RecordHeader& header = slot.header;
  const std::uint64_t packets = header.packets[0] + header.packets[1];
  if (packets < thresholds[slot.readySteps]) return;
  if ((header.payloadBytes[0] | header.payloadBytes[1]) == 0) return;
  while (slot.readySteps < thresholds.size() && thresholds[slot.readySteps] != 0 &&
         packets >= thresholds[slot.readySteps]) {
    ++slot.readySteps;
  }
  store_.markReady(record);
}

/** Flows that are slow to show packets are ready after a while all the same. */
void FlowTable::noteDue() {
  const auto nowMs = static_cast<std::uint32_t>(clock_.nowMs());
  while (!young_.empty()) {
    const ReadyQueue::Entry entry = young_.front();
    if (store_.isLive(entry) &&
        nowMs - store_[entry.record].startMs < options_.readyAfterMs) {
      return;
    }
    popYoung();
  }
}

void FlowTable::noteYoung(std::uint32_t record) {
  if (options_.readyAfterMs == 0) return;
  // So many new flows within so short a time: the oldest one is asked for early.
  if (young_.full()) popYoung();
  young_.push({.record = record, .serial = store_[record].header.serial});
}

/** The oldest young flow is not young any more. */
void FlowTable::popYoung() {
  const ReadyQueue::Entry entry = young_.front();
  young_.pop();
  if (!store_.isLive(entry)) return;
  const RecordHeader& header = store_[entry.record].header;
  const bool payload = (header.payloadBytes[0] | header.payloadBytes[1]) != 0;
  if (header.handovers == 0 && payload) store_.markReady(entry.record);
}

}  // namespace sluice
