// Bytes of a capture file (pcap or pcapng, any byte order) -> an index of its frames, as
// feedBlock takes it. Hostile bytes end the reading with a reason; nothing is thrown and
// nothing outside of the window is read.
// pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bytes.hpp"
#include "fixed-array.hpp"

namespace sluice {

/** Why indexing stopped. Of the first four, more bytes are needed for what is named. */
enum class IndexStop : std::uint8_t {
  kMagic,
  kFileHeader,
  kFrame,
  kBlock,
  kHandOver,        // the index is full, or what follows is of another link type
  kDone,            // the window is used up, at the end of a frame or block
  kUnknownFormat,   // neither pcap nor pcapng; `detail` is its magic number
  kBadFrame,        // a record header makes no sense
  kBadBlock,        // a block makes no sense
  kBadByteOrder,    // a section header without byte-order magic
  kBadBlockLength,  // of `detail` bytes
};
inline constexpr std::size_t kIndexStopCount = 11;

/** Indexed by IndexStop. */
inline constexpr std::array<std::string_view, kIndexStopCount> kIndexStopNames = {
    "magic",     "file-header",    "frame",           "block",
    "hand-over", "done",           "unknown-format",  "bad-frame",
    "bad-block", "bad-byte-order", "bad-block-length"};

/** What one call of `index` has found. */
struct Indexed {
  std::uint32_t frames = 0;
  std::uint32_t linkType = 0;  // of these frames
  std::size_t passed = 0;      // bytes that are done with
  IndexStop stop = IndexStop::kDone;
  std::size_t wanted = 0;  // bytes from `passed` on, where more are needed
  std::uint32_t detail = 0;
};

/**
 * Reads one capture from its first byte on, window by window. Owns what it has to keep of
 * the file between two windows; its memory is fixed.
 */
class CaptureIndexer {
 public:
  CaptureIndexer();

  [[nodiscard]] bool ok() const { return interfaces_.ok(); }

  /**
   * Indexes every whole frame at the front of `window`, which begins where the call
   * before has stopped (`passed`), into `index`: kIndexWords a frame, offsets counted
   * from `origin` before the window. To be called again with more bytes, or after the
   * frames have been used; not after a fault.
   */
  Indexed index(Bytes window, std::uint32_t origin, std::span<std::uint32_t> index);

  /** Frames of pcapng passed over because the section has no such interface. */
  [[nodiscard]] std::uint64_t homeless() const { return homeless_; }

 private:
  enum class Format : std::uint8_t { kUnknown, kPcap, kPcapNg };

  /** Type of pcapng's section header, the same in both byte orders. */
  static constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
  /** Of one section. */
  static constexpr std::size_t kMaxInterfaces = 4'096;

  /** One interface of a pcapng section: how its frames and stamps are to be read. */
  struct Interface {
    std::uint64_t ticksPerSecond;
    std::uint64_t offsetSeconds;  // modulo 2^64
    std::uint32_t snapLength;
    std::uint32_t linkType;
  };

  struct Stamp {
    std::uint32_t seconds;
    std::uint32_t nanoseconds;
  };

  /** A frame, and where it lies in the window. */
  struct Found {
    std::size_t offset;
    std::uint32_t captured;
    std::uint32_t wire;
    Stamp stamp;
  };

  /** One call of `index`. */
  struct Run {
    Cursor cursor;
    std::uint32_t origin;
    std::span<std::uint32_t> index;
    Indexed indexed;

    [[nodiscard]] bool full() const;
    void add(const Found& found);
    void stop(IndexStop why, std::size_t wanted = 0, std::uint32_t detail = 0);
  };

  /** What a whole block of pcapng was. */
  enum class Block : std::uint8_t { kPassed, kHandOver, kBad };

  template <std::size_t At, std::size_t N>
  [[nodiscard]] std::uint32_t u32(const HeaderView<N>& header) const {
    return bigEndian_ ? header.template be32<At>() : header.template le32<At>();
  }
  template <std::size_t At, std::size_t N>
  [[nodiscard]] std::uint16_t u16(const HeaderView<N>& header) const {
    return bigEndian_ ? header.template be16<At>() : header.template le16<At>();
  }

  [[nodiscard]] bool detect(Run& run);
  void indexPcap(Run& run) const;
  void indexPcapNg(Run& run);
  [[nodiscard]] bool blockAt(Run& run, std::uint32_t& type, std::uint32_t& length);
  [[nodiscard]] Block readBlock(Run& run, std::uint32_t type, Bytes block);
  [[nodiscard]] Block readInterface(Bytes block);
  void readInterfaceOptions(Bytes options, Interface& to) const;
  [[nodiscard]] Block readPacket(Run& run, std::uint32_t type, Bytes block);
  [[nodiscard]] Block readSimplePacket(Run& run, Bytes block);
  [[nodiscard]] Block addFrame(Run& run, const Interface& source, const Found& found);
  [[nodiscard]] static Stamp stampOf(std::uint64_t ticks, const Interface& source);

  Format format_ = Format::kUnknown;
  bool bigEndian_ = false;
  bool nanoseconds_ = false;             // of pcap
  std::uint32_t recordHeaderBytes_ = 0;  // of pcap
  std::uint32_t linkType_ = 0;           // of pcap
  std::uint32_t interfaceCount_ = 0;
  FixedArray<Interface> interfaces_;
  std::uint64_t homeless_ = 0;
};

}  // namespace sluice
