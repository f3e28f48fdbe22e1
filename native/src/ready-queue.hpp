// Flows that are ready to be looked at while they go on, in the order in which they
// became it.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "fixed-array.hpp"

namespace sluice {

/**
 * A queue of fixed size. An entry does not own its record: the record may have ended
 * since and its place may serve another flow, which the serial number tells.
 */
class ReadyQueue {
 public:
  struct Entry {
    std::uint32_t record;
    std::uint32_t serial;  // RecordHeader::serial
  };

  explicit ReadyQueue(std::uint32_t least)
      : mask_(std::bit_ceil(std::size_t{least}) - 1), entries_(mask_ + 1) {}

  [[nodiscard]] bool ok() const { return entries_.ok(); }
  [[nodiscard]] std::size_t bytes() const { return entries_.bytes(); }
  [[nodiscard]] bool empty() const { return pushed_ == popped_; }
  [[nodiscard]] bool full() const { return size() == mask_ + 1; }
  [[nodiscard]] std::size_t size() const { return pushed_ - popped_; }

  /** The oldest one; the queue is not empty. */
  [[nodiscard]] const Entry& front() const { return entries_[popped_ & mask_]; }
  void pop() { ++popped_; }
  /** The queue is not full. */
  void push(const Entry& entry) { entries_[pushed_++ & mask_] = entry; }

 private:
  std::size_t mask_;
  FixedArray<Entry> entries_;
  std::size_t pushed_ = 0;
  std::size_t popped_ = 0;
};

}  // namespace sluice
