#include "flow-index.hpp"

namespace sluice {

void FlowIndex::insert(std::uint32_t hash, std::uint32_t entry) {
  std::size_t at = hash & mask_;
  while (slots_[at].used()) at = (at + 1) & mask_;
  slots_[at] = {.hash = hash, .entryPlusOne = entry + 1};
}

void FlowIndex::erase(std::uint32_t hash, std::uint32_t entry) {
  std::size_t hole = hash & mask_;
  while (slots_[hole].used() && slots_[hole].entry() != entry) hole = (hole + 1) & mask_;
  if (!slots_[hole].used()) return;
  // Closes the gap instead of leaving a tombstone: whatever probed past the hole moves
  // into it.
  for (std::size_t at = (hole + 1) & mask_; slots_[at].used(); at = (at + 1) & mask_) {
    const std::size_t home = slots_[at].hash & mask_;
    if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = {};
}

}  // namespace sluice
