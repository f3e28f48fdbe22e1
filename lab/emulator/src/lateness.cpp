#include "lateness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::lab {
namespace {

constexpr unsigned kStepBits = 3;  // 8 steps

unsigned bucketOf(std::uint64_t ns) {
  if (ns < 1U << kStepBits) return static_cast<unsigned>(ns);
  const auto octave = static_cast<unsigned>(std::bit_width(ns)) - 1 - kStepBits;
  return ((octave + 1) << kStepBits) + static_cast<unsigned>((ns >> octave) & 7U);
}

/** The largest time that falls into the bucket. */
std::uint64_t ceilingOf(unsigned bucket) {
  if (bucket < 1U << kStepBits) return bucket;
  const unsigned octave = (bucket >> kStepBits) - 1;
  const std::uint64_t low = std::uint64_t{8U + (bucket & 7U)} << octave;
  return low + (std::uint64_t{1} << octave) - 1;
}

}  // namespace

void Lateness::add(std::int64_t lateNs) {
  const std::int64_t late = std::max<std::int64_t>(lateNs, 0);
  ++buckets_[bucketOf(static_cast<std::uint64_t>(late))];
  ++count_;
  maxNs_ = std::max(maxNs_, late);
}

std::int64_t Lateness::quantileNs(double share) const {
  if (count_ == 0) return 0;
  const auto wanted =
      static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (unsigned bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= std::max<std::uint64_t>(wanted, 1))
      return std::min(static_cast<std::int64_t>(ceilingOf(bucket)), maxNs_);
  }
  return maxNs_;
}

}  // namespace sluice::lab
