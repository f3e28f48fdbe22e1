#include "pcap-writer.hpp"

#include <array>
#include <cerrno>

namespace sluice::lab {
namespace {

// draft-ietf-opsawg-pcap; in this machine's byte order, as the magic number tells.
constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kVersion = 2U | 4U << 16U;  // two words: 2 and 4
constexpr std::uint32_t kSnapLength = 262'144;
constexpr std::int64_t kSecondNs = 1'000'000'000;

}  // namespace

PcapWriter::PcapWriter(const std::string& file, std::uint32_t linkType)
    : file_(std::fopen(file.c_str(), "wbe")) {
  if (file_ == nullptr) return;
  const std::array<std::uint32_t, 6> header = {kMagicNanoseconds, kVersion, 0, 0,
                                               kSnapLength,       linkType};
  put(header.data(), sizeof(header));
}

void PcapWriter::write(const Frame& frame) {
  const auto captured = static_cast<std::uint32_t>(frame.bytes.size());
  const std::array<std::uint32_t, 4> header = {
      static_cast<std::uint32_t>(frame.timeNs / kSecondNs),
      static_cast<std::uint32_t>(frame.timeNs % kSecondNs), captured, frame.wireLength};
  put(header.data(), sizeof(header));
  put(frame.bytes.data(), captured);
}

void PcapWriter::put(const void* bytes, std::size_t count) {
  if (std::fwrite(bytes, 1, count, file_.get()) != count) failed_ = true;
}

bool PcapWriter::close() {
  if (file_ == nullptr) return false;
  const bool flushed = std::fclose(file_.release()) == 0;
  return flushed && !failed_;
}

}  // namespace sluice::lab
