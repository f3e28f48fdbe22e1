// Capture files, made by hand in either byte order.
#pragma once

#include <cstdint>

#include "frames.hpp"

namespace sluice::test {

/** Writes the numbers of a capture file. */
class FileWriter {
 public:
  explicit FileWriter(bool bigEndian) : bigEndian_(bigEndian) {}

  FileWriter& u16(std::uint32_t value) { return number(value, 2); }
  FileWriter& u32(std::uint32_t value) { return number(value, 4); }
  FileWriter& bytes(const Buffer& more) {
    bytes_.insert(bytes_.end(), more.begin(), more.end());
    return *this;
  }
  [[nodiscard]] Buffer take() const { return bytes_; }

 private:
  FileWriter& number(std::uint32_t value, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const unsigned place = bigEndian_ ? count - 1 - i : i;
      bytes_.push_back(static_cast<std::byte>(value >> (8 * place)));
    }
    return *this;
  }

  bool bigEndian_;
  Buffer bytes_;
};

/** How a pcap file is written. */
struct PcapLayout {
  std::uint32_t magic = 0xa1b2c3d4;
  bool bigEndian = false;
  std::uint32_t linkType = 1;
};

inline Buffer pcapHeader(const PcapLayout& layout) {
  return FileWriter(layout.bigEndian)
      .u32(layout.magic)
      .u16(2)
      .u16(4)
      .u32(0)
      .u32(0)
      .u32(65'535)
      .u32(layout.linkType)
      .take();
}

inline Buffer pcapRecord(const PcapLayout& layout, const Buffer& frame,
                         std::uint32_t seconds, std::uint32_t fraction) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  FileWriter writer(layout.bigEndian);
  writer.u32(seconds).u32(fraction).u32(length).u32(length);
  if (layout.magic == 0xa1b2cd34) writer.u32(1).u32(2);
  return writer.bytes(frame).take();
}

/** A block of pcapng; `body` is padded. */
inline Buffer ngBlock(bool bigEndian, std::uint32_t type, Buffer body) {
  body.resize((body.size() + 3) & ~std::size_t{3});
  const auto length = static_cast<std::uint32_t>(body.size()) + 12;
  return FileWriter(bigEndian).u32(type).u32(length).bytes(body).u32(length).take();
}

inline Buffer ngSection(bool bigEndian) {
  return ngBlock(bigEndian, 0x0a0d0d0a,
                 FileWriter(bigEndian)
                     .u32(0x1a2b3c4d)
                     .u16(1)
                     .u16(0)
                     .u32(0xffffffff)
                     .u32(0xffffffff)
                     .take());
}

/** `resolution` is if_tsresol; an offset of -1 s goes with it where `early`. */
inline Buffer ngInterface(bool bigEndian, std::uint32_t linkType, unsigned resolution = 6,
                          bool early = false) {
  FileWriter body(bigEndian);
  body.u16(linkType).u16(0).u32(10);
  body.u16(9).u16(1).bytes({static_cast<std::byte>(resolution), {}, {}, {}});
  if (early) body.u16(14).u16(8).u32(0xffffffff).u32(0xffffffff);
  return ngBlock(bigEndian, 1, body.u16(0).u16(0).take());
}

inline Buffer ngPacket(bool bigEndian, std::uint32_t interface, std::uint64_t ticks,
                       const Buffer& frame) {
  const auto length = static_cast<std::uint32_t>(frame.size());
  return ngBlock(bigEndian, 6,
                 FileWriter(bigEndian)
                     .u32(interface)
                     .u32(static_cast<std::uint32_t>(ticks >> 32U))
                     .u32(static_cast<std::uint32_t>(ticks))
                     .u32(length)
                     .u32(length + 1)
                     .bytes(frame)
                     .take());
}

}  // namespace sluice::test
