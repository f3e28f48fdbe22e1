// What kind of capture it is, and pcap. The other kind: pcapng-indexer.cpp.
#include "capture-indexer.hpp"

#include <algorithm>

#include "frame-block.hpp"

namespace sluice {
namespace {

/** Magic numbers as a little-endian reader sees them. */
constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kMicrosecondsSwapped = 0xd4c3b2a1;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kNanosecondsSwapped = 0x4d3cb2a1;
/** "Modified" pcap of old Linux patches: each record header has 8 bytes more. */
constexpr std::uint32_t kModified = 0xa1b2cd34;
constexpr std::uint32_t kModifiedSwapped = 0x34cdb2a1;

constexpr std::size_t kFileHeaderBytes = 24;
constexpr std::size_t kRecordHeaderBytes = 16;
/**
 * A longer captured frame means that the reader lost its place: no tool writes more than
 * 256 KiB a frame.
 */
constexpr std::uint32_t kMaxFrameBytes = 262'144;
constexpr std::uint32_t kNsPerUs = 1'000;

}  // namespace

CaptureIndexer::CaptureIndexer() : interfaces_(kMaxInterfaces) {}

bool CaptureIndexer::Run::full() const {
  return index.size() / kIndexWords == indexed.frames;
}

void CaptureIndexer::Run::add(const Found& found) {
  const auto entry = index.subspan(indexed.frames * kIndexWords).first<kIndexWords>();
  entry[0] = origin + static_cast<std::uint32_t>(found.offset);
  entry[1] = found.captured;
  // Some writers put a length of 0 into the wire length of a cut frame: never less than
  // captured.
  entry[2] = std::max(found.wire, found.captured);
  entry[3] = found.stamp.seconds;
  entry[4] = found.stamp.nanoseconds;
  ++indexed.frames;
}

void CaptureIndexer::Run::stop(IndexStop why, std::size_t wanted, std::uint32_t detail) {
  indexed.stop = why;
  indexed.wanted = wanted;
  indexed.detail = detail;
}

Indexed CaptureIndexer::index(Bytes window, std::uint32_t origin,
                              std::span<std::uint32_t> index) {
  Run run{.cursor = Cursor(window), .origin = origin, .index = index, .indexed = {}};
  if (format_ != Format::kUnknown || detect(run)) {
    if (format_ == Format::kPcap) {
      indexPcap(run);
    } else {
      indexPcapNg(run);
    }
  }
  run.indexed.passed = run.cursor.offset();
  return run.indexed;
}

/** Reads the file's header; false when it stands not there as a whole, or is none. */
bool CaptureIndexer::detect(Run& run) {
  const auto start = run.cursor.peek<4>();
  if (!start) {
    run.stop(IndexStop::kMagic, 4);
    return false;
  }
  const std::uint32_t magic = start->le32<0>();
  if (magic == kSectionHeader) {
    format_ = Format::kPcapNg;
    return true;
  }
  const bool modified = magic == kModified || magic == kModifiedSwapped;
  nanoseconds_ = magic == kNanoseconds || magic == kNanosecondsSwapped;
  if (!modified && !nanoseconds_ && magic != kMicroseconds &&
      magic != kMicrosecondsSwapped) {
    run.stop(IndexStop::kUnknownFormat, 0, magic);
    return false;
  }
  const auto header = run.cursor.take<kFileHeaderBytes>();
  if (!header) {
    run.stop(IndexStop::kFileHeader, kFileHeaderBytes);
    return false;
  }
  format_ = Format::kPcap;
  bigEndian_ = magic == kMicrosecondsSwapped || magic == kNanosecondsSwapped ||
               magic == kModifiedSwapped;
  recordHeaderBytes_ = kRecordHeaderBytes + (modified ? 8 : 0);
  // The upper 16 bits of the field hold FCS length and reserved bits.
  linkType_ = u32<20>(*header) & 0xffffU;
  return true;
}

void CaptureIndexer::indexPcap(Run& run) const {
  run.indexed.linkType = linkType_;
  while (!run.cursor.rest().empty()) {
    const auto header = run.cursor.peek<kRecordHeaderBytes>();
    const std::size_t left = run.cursor.rest().size();
    if (!header || left < recordHeaderBytes_) {
      run.stop(IndexStop::kFrame, recordHeaderBytes_);
      return;
    }
    const std::uint32_t captured = u32<8>(*header);
    if (captured > kMaxFrameBytes) {
      run.stop(IndexStop::kBadFrame);
      return;
    }
    const std::size_t record = std::size_t{recordHeaderBytes_} + captured;
    if (left < record) {
      run.stop(IndexStop::kFrame, record);
      return;
    }
    if (run.full()) {
      run.stop(IndexStop::kHandOver);
      return;
    }
    const std::uint32_t fraction = u32<4>(*header);
    run.add({.offset = run.cursor.offset() + recordHeaderBytes_,
             .captured = captured,
             .wire = u32<12>(*header),
             .stamp = {.seconds = u32<0>(*header),
                       .nanoseconds = nanoseconds_ ? fraction : fraction * kNsPerUs}});
    static_cast<void>(run.cursor.skip(record));
  }
}

}  // namespace sluice
