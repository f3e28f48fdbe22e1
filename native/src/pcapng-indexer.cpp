// pcapng: sections may change byte order, interfaces their link type and clock.
#include <algorithm>

#include "capture-indexer.hpp"

namespace sluice {
namespace {

constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kPacketObsolete = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;

constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kByteOrderMagicSwapped = 0x4d3c2b1a;

constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionResolution = 9;  // if_tsresol
constexpr std::uint16_t kOptionOffset = 14;     // if_tsoffset

/** Type, length, and the length once more at the end. */
constexpr std::uint32_t kLeastBlockBytes = 12;
/**
 * A longer block is taken for damage: real ones are frames plus a few options, or name
 * and secret tables.
 */
constexpr std::uint32_t kMaxBlockBytes = 16U << 20U;
constexpr std::size_t kTrailerBytes = 4;

constexpr std::uint64_t kMicro = 1'000'000;
constexpr std::uint64_t kNano = 1'000'000'000;

/** if_tsresol: a negative power of ten, or of two with the top bit set. */
std::uint64_t ticksOf(unsigned resolution) {
  const unsigned exponent = resolution & 0x7fU;
  // Finer than 2^-63 or 10^-18 s cannot be meant: such a clock overflows within seconds.
  if ((resolution & 0x80U) != 0) return std::uint64_t{1} << std::min(exponent, 63U);
  std::uint64_t ticks = 1;
  for (unsigned i = std::min(exponent, 18U); i > 0; --i) ticks *= 10;
  return ticks;
}

}  // namespace

void CaptureIndexer::indexPcapNg(Run& run) {
  while (!run.cursor.rest().empty()) {
    std::uint32_t type = 0;
    std::uint32_t length = 0;
    if (!blockAt(run, type, length)) return;
    switch (readBlock(run, type, run.cursor.rest().first(length))) {
      case Block::kPassed:
        static_cast<void>(run.cursor.skip(length));
        break;
      case Block::kHandOver:
        run.stop(IndexStop::kHandOver);
        return;
      case Block::kBad:
        run.stop(IndexStop::kBadBlock);
        return;
    }
  }
}

/** Type and length of the next block; false when it is not whole in the window. */
bool CaptureIndexer::blockAt(Run& run, std::uint32_t& type, std::uint32_t& length) {
  const auto head = run.cursor.peek<kLeastBlockBytes>();
  if (!head) {
    run.stop(IndexStop::kBlock, kLeastBlockBytes);
    return false;
  }
  type = u32<0>(*head);
  if (type == kSectionHeader) {
    const std::uint32_t magic = head->le32<8>();
    if (magic != kByteOrderMagic && magic != kByteOrderMagicSwapped) {
      run.stop(IndexStop::kBadByteOrder);
      return false;
    }
    bigEndian_ = magic == kByteOrderMagicSwapped;
  }
  length = u32<4>(*head);
  if (length < kLeastBlockBytes || length > kMaxBlockBytes || length % 4 != 0) {
    run.stop(IndexStop::kBadBlockLength, 0, length);
    return false;
  }
  if (run.cursor.rest().size() < length) {
    run.stop(IndexStop::kBlock, length);
    return false;
  }
  return true;
}

/** Reads a whole block; what it does twice, after a hand-over, does no harm. */
CaptureIndexer::Block CaptureIndexer::readBlock(Run& run, std::uint32_t type,
                                                Bytes block) {
  switch (type) {
    case kSectionHeader:
      interfaceCount_ = 0;
      return Block::kPassed;
    case kInterfaceDescription:
      return readInterface(block);
    case kEnhancedPacket:
    case kPacketObsolete:
      return readPacket(run, type, block);
    case kSimplePacket:
      return readSimplePacket(run, block);
    default:
      return Block::kPassed;
  }
}

CaptureIndexer::Block CaptureIndexer::readInterface(Bytes block) {
  Cursor cursor(block.first(block.size() - kTrailerBytes));
  const auto header = cursor.take<16>();
  if (!header || interfaceCount_ == kMaxInterfaces) return Block::kBad;
  Interface described{.ticksPerSecond = kMicro,
                      .offsetSeconds = 0,
                      .snapLength = u32<12>(*header),
                      .linkType = u16<8>(*header)};
  readInterfaceOptions(cursor.rest(), described);
  interfaces_[interfaceCount_++] = described;
  return Block::kPassed;
}

void CaptureIndexer::readInterfaceOptions(Bytes options, Interface& to) const {
  Cursor cursor(options);
  while (const auto option = cursor.take<4>()) {
    const std::uint16_t code = u16<0>(*option);
    const std::uint16_t length = u16<2>(*option);
    if (code == kOptionEnd || cursor.rest().size() < length) return;
    if (code == kOptionResolution && length == 1) {
      to.ticksPerSecond = ticksOf(cursor.peek<1>()->u8<0>());
    } else if (code == kOptionOffset && length == 8) {
      const auto value = cursor.peek<8>();
      const std::uint64_t first = u32<0>(*value);
      const std::uint64_t second = u32<4>(*value);
      to.offsetSeconds = bigEndian_ ? first << 32U | second : second << 32U | first;
    }
    // Padded to four bytes, as far as the block goes.
    if (!cursor.skip((length + 3U) & ~3U)) return;
  }
}

CaptureIndexer::Block CaptureIndexer::readPacket(Run& run, std::uint32_t type,
                                                 Bytes block) {
  constexpr std::size_t kHeader = 28;
  Cursor cursor(block.first(block.size() - kTrailerBytes));
  const auto header = cursor.take<kHeader>();
  if (!header) return Block::kBad;
  const std::uint32_t captured = u32<20>(*header);
  if (captured > cursor.rest().size()) return Block::kBad;
  const std::uint32_t id = type == kPacketObsolete ? u16<8>(*header) : u32<8>(*header);
  if (id >= interfaceCount_) {
    ++homeless_;
    return Block::kPassed;
  }
  const Interface& source = interfaces_[id];
  const std::uint64_t ticks = std::uint64_t{u32<12>(*header)} << 32U | u32<16>(*header);
  return addFrame(run, source,
                  {.offset = run.cursor.offset() + kHeader,
                   .captured = captured,
                   .wire = u32<24>(*header),
                   .stamp = stampOf(ticks, source)});
}

/** A simple packet has no stamp: all frames of such a capture are at time 0. */
CaptureIndexer::Block CaptureIndexer::readSimplePacket(Run& run, Bytes block) {
  constexpr std::size_t kHeader = 12;
  Cursor cursor(block.first(block.size() - kTrailerBytes));
  const auto header = cursor.take<kHeader>();
  if (!header) return Block::kBad;
  if (interfaceCount_ == 0) {
    ++homeless_;
    return Block::kPassed;
  }
  const Interface& source = interfaces_[0];
  const std::uint32_t wire = u32<8>(*header);
  const std::uint32_t limit =
      source.snapLength == 0 ? wire : std::min(wire, source.snapLength);
  const auto room = static_cast<std::uint32_t>(cursor.rest().size());
  return addFrame(run, source,
                  {.offset = run.cursor.offset() + kHeader,
                   .captured = std::min(limit, room),
                   .wire = wire,
                   .stamp = {.seconds = 0, .nanoseconds = 0}});
}

/** Frames of one link type alone go into one index. */
CaptureIndexer::Block CaptureIndexer::addFrame(Run& run, const Interface& source,
                                               const Found& found) {
  const bool other = run.indexed.frames > 0 && run.indexed.linkType != source.linkType;
  if (run.full() || other) return Block::kHandOver;
  run.indexed.linkType = source.linkType;
  run.add(found);
  return Block::kPassed;
}

CaptureIndexer::Stamp CaptureIndexer::stampOf(std::uint64_t ticks,
                                              const Interface& source) {
  const std::uint64_t perSecond = source.ticksPerSecond;
  std::uint64_t seconds = 0;
  std::uint64_t nanoseconds = 0;
  // Divisions by what the compiler knows, for the two that tools write.
  if (perSecond == kMicro) {
    seconds = ticks / kMicro;
    nanoseconds = ticks % kMicro * (kNano / kMicro);
  } else if (perSecond == kNano) {
    seconds = ticks / kNano;
    nanoseconds = ticks % kNano;
  } else {
    seconds = ticks / perSecond;
    __extension__ using Wide = unsigned __int128;
    nanoseconds = static_cast<std::uint64_t>(Wide{ticks % perSecond} * kNano / perSecond);
  }
  return {.seconds = static_cast<std::uint32_t>(seconds + source.offsetSeconds),
          .nanoseconds = static_cast<std::uint32_t>(nanoseconds)};
}

}  // namespace sluice
