// Deadlines of many flows in constant time each.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "fixed-array.hpp"

namespace sluice {

/**
 * One turn of slots covers the longest timeout, so a number waits in the slot of its
 * deadline and is touched once, there. Who has had packets in between is scheduled anew
 * on that visit, not at every packet. Varghese, Lauck: Hashed and hierarchical timing
 * wheels (1987), scheme 5.
 */
class TimingWheel {
 public:
  /** Numbers are below `count`; no deadline is further ahead than `longestMs`. */
  TimingWheel(std::uint32_t count, std::uint32_t longestMs);

  [[nodiscard]] bool ok() const { return next_.ok() && previous_.ok(); }
  [[nodiscard]] std::size_t bytes() const { return next_.bytes() + previous_.bytes(); }

  /**
   * `id` is not scheduled. It is visited at or, by less than a slot's width, after the
   * deadline.
   */
  void schedule(std::uint32_t id, std::uint64_t deadlineMs);
  /** `id` is scheduled, or is being visited. */
  void cancel(std::uint32_t id);

  /**
   * Moves on to `nowMs` and calls `visit(id)` for all whose slot has passed, in the order
   * of the slots and within one in the order of scheduling. They are no longer scheduled;
   * `visit` may schedule its own id again, no other. Work: one bit per slot passed and
   * the visits.
   */
  template <class Visit>
  void advance(std::uint64_t nowMs, const Visit& visit) {
    const std::uint64_t target = nowMs >> tickShift_;
    if (target <= current_) return;
    const std::uint64_t first = current_ + 1;
    const std::uint64_t passed = target - current_ < kSlots ? target - current_ : kSlots;
    // Set first: what is scheduled during the visits belongs after the target.
    current_ = target;
    for (std::uint64_t i = 0; i < passed;) {
      const std::size_t slot = (first + i) % kSlots;
      const std::uint64_t waiting = occupied_[slot / 64] >> (slot % 64);
      if (waiting == 0) {
        i += 64 - slot % 64;
        continue;
      }
      const auto gap = static_cast<std::uint64_t>(std::countr_zero(waiting));
      i += gap;
      if (i < passed) visitSlot(slot + gap, visit);
      ++i;
    }
  }

 private:
  static constexpr std::size_t kSlots = 4096;

  template <class Visit>
  void visitSlot(std::size_t slot, const Visit& visit) {
    occupied_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    const std::uint32_t sentinel = sentinelOf(slot);
    std::uint32_t id = next_[sentinel];
    // The list is cut off whole: an id that is scheduled into this very slot again waits
    // a turn.
    next_[sentinel] = sentinel;
    previous_[sentinel] = sentinel;
    while (id != sentinel) {
      const std::uint32_t following = next_[id];
      next_[id] = id;
      previous_[id] = id;
      visit(id);
      id = following;
    }
  }

  [[nodiscard]] std::uint32_t sentinelOf(std::size_t slot) const {
    return count_ + static_cast<std::uint32_t>(slot);
  }

  std::uint32_t count_;
  unsigned tickShift_;  // a slot is 1 << tickShift_ ms wide
  std::uint64_t current_ = 0;
  std::array<std::uint64_t, kSlots / 64> occupied_{};
  // Circular lists; element count_ + slot is the slot's end mark.
  FixedArray<std::uint32_t> next_;
  FixedArray<std::uint32_t> previous_;
};

}  // namespace sluice
