#include "flow-key.hpp"

#include <sys/random.h>

#include <chrono>

namespace sluice {
namespace {

/** Vigna's splitmix64: one seed -> any number of words that look independent. */
std::uint64_t splitMix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

/** The state of SipHash; names as in the paper. */
struct Sip {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace

KeyHasher::KeyHasher(std::uint64_t seed) : k0_(splitMix(seed)), k1_(splitMix(seed)) {}

std::uint32_t KeyHasher::operator()(const FlowKey& key) const {
  Sip sip{.v0 = k0_ ^ 0x736f6d6570736575U,
          .v1 = k1_ ^ 0x646f72616e646f6dU,
          .v2 = k0_ ^ 0x6c7967656e657261U,
          .v3 = k1_ ^ 0x7465646279746573U};
  const auto low = halves(key.low);
  const auto high = halves(key.high);
  if (key.ipVersion == 4) {
    sip.absorb(low[0] << 32U | (high[0] & 0xffffffffU));
  } else {
    sip.absorb(low[0]);
    sip.absorb(low[1]);
    sip.absorb(high[0]);
    sip.absorb(high[1]);
  }
  // The version keeps short and long messages apart, as the length does in the paper.
  sip.absorb(std::uint64_t{key.lowPort} << 48U | std::uint64_t{key.highPort} << 32U |
             std::uint64_t{key.protocol} << 8U | key.ipVersion);
  sip.v2 ^= 0xffU;
  sip.round();
  sip.round();
  sip.round();
  return static_cast<std::uint32_t>(sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3);
}

std::uint64_t randomSeed() {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof(seed), 0) == static_cast<ssize_t>(sizeof(seed))) {
    return seed;
  }
  // Kernels before 3.17; a clock is still hard to guess to the nanosecond.
  return static_cast<std::uint64_t>(
      std::chrono::high_resolution_clock::now().time_since_epoch().count());
}

}  // namespace sluice
