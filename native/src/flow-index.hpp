// Hash -> number of an entry: open addressing, at most half full, fixed size.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "fixed-array.hpp"

namespace sluice {

/** Holds hash and number only: what they stand for is the caller's, who compares keys. */
class FlowIndex {
 public:
  explicit FlowIndex(std::uint32_t maxEntries)
      : mask_(std::bit_ceil(std::size_t{maxEntries} * 2) - 1), slots_(mask_ + 1) {}

  [[nodiscard]] bool ok() const { return slots_.ok(); }
  [[nodiscard]] std::size_t bytes() const { return slots_.bytes(); }

  /** The entry under `hash` that `matches(number)`; kNone if there is none. */
  template <class Matches>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Matches& matches) const {
    for (std::size_t at = hash & mask_; slots_[at].used(); at = (at + 1) & mask_) {
      if (slots_[at].hash == hash && matches(slots_[at].entry())) {
        return slots_[at].entry();
      }
    }
    return kNone;
  }

  /** An entry under `hash`, most likely the one that is meant; kNone if there is none. */
  [[nodiscard]] std::uint32_t guess(std::uint32_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }
  /** Asks for what `find` will read first. */
  [[gnu::always_inline]] void prefetch(std::uint32_t hash) const {
    slots_.prefetch(hash & mask_);
  }

  /** `entry` is not in yet, and fewer than `maxEntries` are. */
  void insert(std::uint32_t hash, std::uint32_t entry);
  /** Does nothing if `entry` is not in under `hash`. */
  void erase(std::uint32_t hash, std::uint32_t entry);

 private:
  struct Slot {
    std::uint32_t hash;
    std::uint32_t entryPlusOne;  // 0: free

    [[nodiscard]] bool used() const { return entryPlusOne != 0; }
    [[nodiscard]] std::uint32_t entry() const { return entryPlusOne - 1; }
  };

  std::size_t mask_;
  FixedArray<Slot> slots_;
};

}  // namespace sluice
