// How late packets were let go, as a histogram: 8 steps an octave, so within 9%.
#pragma once

#include <array>
#include <cstdint>

namespace sluice::lab {

class Lateness {
 public:
  /** Negative times count as none. */
  void add(std::int64_t lateNs);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::int64_t maxNs() const { return maxNs_; }
  /** No more than `share` (0 to 1) of the packets were later; rounded up, 0 without any.
   */
  [[nodiscard]] std::int64_t quantileNs(double share) const;

 private:
  static constexpr unsigned kSteps = 8;
  std::array<std::uint64_t, 64 * kSteps> buckets_{};
  std::uint64_t count_ = 0;
  std::int64_t maxNs_ = 0;
};

}  // namespace sluice::lab
