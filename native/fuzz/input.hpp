// How the fuzz targets read their input, shared with make-seeds.cpp, which writes it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "decoder.hpp"

namespace sluice::fuzz {

/** A byte of the input picks one, modulo their number. The last two are unknown. */
inline constexpr std::array<std::uint32_t, 14> kLinkTypes = {
    kLinkNull,        kLinkEthernet,     kLinkPpp,  kLinkRawBsd, kLinkRawOpenBsd,
    kLinkPppHdlc,     kLinkRaw,          kLinkLoop, kLinkIpv4,   kLinkIpv6,
    kLinkLinuxCooked, kLinkLinuxCooked2, 147,       65'535};

/** Bits of a byte that goes before a frame. */
inline constexpr std::uint8_t kKernelTag = 1;   // the kernel took a VLAN tag off
inline constexpr std::uint8_t kCutCapture = 2;  // the wire carried 1000 bytes more
inline constexpr std::uint8_t kNoWireLength = 4;

/**
 * What the flow table is fed, as often as the input has it: link type, bits, time (u16),
 * frame length (u16, cut at the end of the input), frame. Little endian.
 */
inline constexpr std::size_t kChunkHeaderBytes = 6;
/** More bits before a frame of the flow table. */
inline constexpr std::uint8_t kDrainBefore = 8;
inline constexpr std::uint8_t kBackwards = 16;
inline constexpr std::uint8_t kRepeat = 32;  // kRepeats times in all: fills the pool
/** Two bits: the time is in us, ms, s or hours since the frame before. */
inline constexpr unsigned kUnitShift = 6;
inline constexpr std::size_t kRepeats = 64;

/** Stops the run with a finding. */
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

/** `bytes` as one captured frame, told by a link type byte and a byte of bits. */
inline Frame frameOf(std::uint8_t link, std::uint8_t bits, Bytes bytes) {
  Frame frame{.bytes = bytes,
              .wireLength = static_cast<std::uint32_t>(bytes.size()),
              .linkType = kLinkTypes[link % kLinkTypes.size()]};
  if ((bits & kKernelTag) != 0) frame.vlan = 7;
  if ((bits & kCutCapture) != 0) frame.wireLength += 1'000;
  if ((bits & kNoWireLength) != 0) frame.wireLength = 0;
  return frame;
}

}  // namespace sluice::fuzz
