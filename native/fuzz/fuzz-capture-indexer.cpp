// Any bytes -> a capture file, read in pieces: every frame lies in the window, and the
// frames do not depend on where the pieces end.
#include <algorithm>
#include <vector>

#include "capture-indexer.hpp"
#include "frame-block.hpp"
#include "input.hpp"

namespace sluice::fuzz {
namespace {

/** Index entries of a reading with offsets from the file's start, and why it stopped. */
struct Reading {
  std::vector<std::uint32_t> words;
  IndexStop stop = IndexStop::kDone;
};

Reading readIn(Bytes file, std::size_t step, std::size_t indexFrames) {
  CaptureIndexer indexer;
  Reading reading;
  std::vector<std::uint32_t> index(indexFrames * kIndexWords);
  std::size_t from = 0;
  for (std::size_t to = std::min(step, file.size());;) {
    const auto part = file.subspan(from, to - from);
    // A copy of its own: what lies behind is not to be read.
    const std::vector<std::byte> window(part.begin(), part.end());
    const Indexed indexed =
        indexer.index(window, static_cast<std::uint32_t>(from), index);
    require(indexed.passed <= window.size(), "no more is passed than there is");
    require(indexed.frames <= indexFrames, "no more frames than the index holds");
    for (std::size_t i = 0; i < indexed.frames; ++i) {
      const auto entry = std::span(index).subspan(i * kIndexWords, kIndexWords);
      require(
          entry[0] >= from && std::uint64_t{entry[0]} + entry[1] <= from + indexed.passed,
          "a frame lies in what is passed");
      require(entry[2] >= entry[1], "no frame is longer captured than on the wire");
      reading.words.insert(reading.words.end(), entry.begin(), entry.end());
      reading.words.push_back(indexed.linkType);
    }
    from += indexed.passed;
    reading.stop = indexed.stop;
    if (indexed.stop == IndexStop::kHandOver) {
      require(indexed.frames > 0, "a hand-over hands something over");
      continue;
    }
    if (indexed.stop > IndexStop::kDone || to == file.size()) return reading;
    to = std::min(file.size(), std::max(from + indexed.wanted, to + step));
  }
}

void run(Bytes input) {
  Cursor cursor(input);
  const auto step = cursor.take<1>();
  if (!step) return;
  const Bytes file = cursor.rest();
  const Reading whole = readIn(file, file.size(), 64);
  const Reading parts = readIn(file, step->u8<0>() + 1U, 2);
  require(whole.words == parts.words && whole.stop == parts.stop,
          "a file reads the same in pieces");
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
