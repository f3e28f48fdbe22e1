#include "timing-wheel.hpp"

#include <algorithm>

namespace sluice {

TimingWheel::TimingWheel(std::uint32_t count, std::uint32_t longestMs)
    : count_(count),
      // Two slots more than needed: one is being passed, and a deadline is rounded up.
      tickShift_(static_cast<unsigned>(std::bit_width(longestMs / (kSlots - 2)))),
      next_(count + kSlots),
      previous_(count + kSlots) {
  if (!ok()) return;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    next_[sentinelOf(slot)] = sentinelOf(slot);
    previous_[sentinelOf(slot)] = sentinelOf(slot);
  }
}

void TimingWheel::schedule(std::uint32_t id, std::uint64_t deadlineMs) {
  const std::uint64_t tick =
      std::clamp((deadlineMs >> tickShift_) + 1, current_ + 1, current_ + kSlots - 1);
  const std::size_t slot = tick % kSlots;
  const std::uint32_t sentinel = sentinelOf(slot);
  const std::uint32_t last = previous_[sentinel];
  next_[last] = id;
  previous_[id] = last;
  next_[id] = sentinel;
  previous_[sentinel] = id;
  occupied_[slot / 64] |= std::uint64_t{1} << (slot % 64);
}

void TimingWheel::cancel(std::uint32_t id) {
  next_[previous_[id]] = next_[id];
  previous_[next_[id]] = previous_[id];
}

}  // namespace sluice
