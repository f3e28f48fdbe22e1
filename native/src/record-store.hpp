// Flow records while they grow, and after their flow's end until they are written out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "chunk-pool.hpp"
#include "fixed-array.hpp"
#include "flow-record.hpp"
#include "packet.hpp"
#include "ready-queue.hpp"

namespace sluice {

struct RecordStoreOptions {
  std::uint32_t maxRecords;
  std::size_t poolBytes;        // for series and payload
  std::uint32_t seriesPackets;  // at most, per flow
  std::uint32_t
      payloadBytes;        // at most, per flow and direction, with the segment headers
  std::uint16_t mtu = 0;   // longer packets are split in the series; 0: none are
  std::uint8_t table = 0;  // goes into every record
};

/** What one call of `drain` wrote. */
struct Drained {
  std::size_t bytes = 0;
  std::uint32_t records = 0;
};

/**
 * Owns records, series and payload. A record is live (its flow goes on), then ended
 * (waits in a queue in the order of `end`), then free again; its memory is its own until
 * then.
 */
class RecordStore {
 public:
  /** A record and what belongs to it that TypeScript does not see. */
  struct Slot {
    RecordHeader header;
    ByteChain series;
    ByteChain segments;
    std::array<std::uint32_t, 2> stored;  // bytes of segments per direction
    std::uint32_t flow;          // of a live record: the caller's number for the flow
    std::uint32_t next;          // in the queue of ended or the list of free ones
    std::uint32_t startMs;       // of the packet clock
    std::uint16_t segmentLimit;  // the least MSS that was told; 0: none
    std::uint8_t readySteps;     // thresholds of readiness that are behind it
    bool waiting;                // in the queue of ready flows
  };
  static_assert(sizeof(Slot) == 256);

  explicit RecordStore(const RecordStoreOptions& options);

  [[nodiscard]] bool ok() const { return slots_.ok() && chunks_.ok() && ready_.ok(); }
  [[nodiscard]] std::size_t bytes() const {
    return slots_.bytes() + chunks_.bytes() + ready_.bytes();
  }
  /** Length of the longest record that `drain` may have to write. */
  [[nodiscard]] std::size_t maxRecordBytes() const;

  [[nodiscard]] std::uint32_t used() const { return used_; }
  [[nodiscard]] std::uint32_t free() const { return options_.maxRecords - used_; }
  [[nodiscard]] std::uint32_t ended() const { return ended_; }
  [[nodiscard]] const ChunkPool& chunks() const { return chunks_; }
  /** Packets whose series entry or payload found the pool full. */
  [[nodiscard]] std::uint64_t poolFull() const { return poolFull_; }

  Slot& operator[](std::uint32_t record) { return slots_[record]; }
  const Slot& operator[](std::uint32_t record) const { return slots_[record]; }
  [[nodiscard]] std::uint32_t capacity() const { return options_.maxRecords; }

  /** Asks for the record to be in the cache soon. */
  [[gnu::always_inline]] void prefetch(std::uint32_t record) const {
    slots_.prefetch(record);
  }
  /** Asks for the ends of its series and payload; the record itself is in the cache. */
  [[gnu::always_inline]] void prefetchEnds(std::uint32_t record) const {
    const Slot& slot = slots_[record];
    // Once its series is full, most of a flow's packets touch neither.
    if (slot.header.seriesPackets == options_.seriesPackets) return;
    chunks_.prefetchEnd(slot.series);
    chunks_.prefetchEnd(slot.segments);
  }

  /**
   * A live record whose counters are zero, for the caller to identify; `free()` is above
   * 0.
   */
  [[nodiscard]] std::uint32_t create(std::int64_t firstNs);
  /** Adds a packet to counters, series and payload. */
  void append(std::uint32_t record, const Packet& packet, std::int64_t timeNs,
              Direction direction);
  /** Adds `packet`, which is not joined, another `times` to the counters alone. */
  void count(std::uint32_t record, const Packet& packet, Direction direction,
             std::uint32_t times);
  /** Frees a live record unread. */
  void discard(std::uint32_t record);
  /** Queues a live record for `drain`. */
  void end(std::uint32_t record, EndReason reason);
  /** Queues a live record for `drain`, which leaves it live; once more is once. */
  void markReady(std::uint32_t record);
  [[nodiscard]] bool isLive(const ReadyQueue::Entry& entry) const;
  /** Ready records that wait; some of them may have ended since. */
  [[nodiscard]] std::size_t ready() const { return ready_.size(); }
  /** Frees the ended record that has waited longest; there is one. */
  void giveUpEnded();
  /** Writes ended records and frees them, then ready ones; as many as fit whole. */
  Drained drain(std::span<std::byte> into);

 private:
  void countJoined(Slot& slot, const Packet& packet, Direction direction);
  /** Payload of each packet that `packet` is made of; 0: it is one packet. */
  [[nodiscard]] std::uint32_t segmentOf(const Slot& slot, const Packet& packet) const;
  void splitIntoSeries(Slot& slot, const Packet& packet, std::int64_t timeNs,
                       std::uint8_t marks);
  bool appendToSeries(Slot& slot, const Packet& packet, std::int64_t timeNs,
                      std::uint8_t marks);
  void appendPayload(Slot& slot, const Packet& packet, Direction direction);
  std::uint32_t takeEnded();
  void drainEnded(std::span<std::byte> into, Drained& drained);
  void drainReady(std::span<std::byte> into, Drained& drained);
  void release(std::uint32_t record);
  void write(const Slot& slot, std::span<std::byte> into) const;

  RecordStoreOptions options_;
  FixedArray<Slot> slots_;
  ChunkPool chunks_;
  ReadyQueue ready_;
  std::uint32_t used_ = 0;
  std::uint32_t ended_ = 0;
  std::uint32_t fresh_ = 0;  // records from here on have never been used
  std::uint32_t freed_ = kNone;
  std::uint32_t firstEnded_ = kNone;
  std::uint32_t lastEnded_ = kNone;
  std::uint64_t poolFull_ = 0;
  std::uint32_t created_ = 0;
};

}  // namespace sluice
