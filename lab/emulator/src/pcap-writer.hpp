// Frames -> a capture file (classic pcap, nanoseconds).
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "packet.hpp"

namespace sluice::lab {

class PcapWriter {
 public:
  /** Of a file that cannot be made `ok` is false, and errno says why. */
  PcapWriter(const std::string& file, std::uint32_t linkType);

  [[nodiscard]] bool ok() const { return file_ != nullptr && !failed_; }
  void write(const Frame& frame);
  /** False, and errno, when something could not be written: a full disk. */
  [[nodiscard]] bool close();

 private:
  void put(const void* bytes, std::size_t count);

  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Closer> file_;
  bool failed_ = false;
};

}  // namespace sluice::lab
