// Memory that is asked for once and never grows.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace sluice {

/**
 * `count` zeroed elements, page aligned; owns its memory. The kernel hands out a page
 * when it is first written, so what is never used costs nothing. `ok()` is false when
 * there was not enough memory.
 */
template <class T>
class FixedArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit FixedArray(std::size_t count) : bytes_(count * sizeof(T)) {
    // A multiplication that overflows cannot be mapped either.
    if (count == 0 || bytes_ / sizeof(T) != count) return;
    void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) items_ = static_cast<T*>(memory);
  }
  FixedArray(FixedArray&& other) noexcept
      : items_(std::exchange(other.items_, nullptr)), bytes_(other.bytes_) {}
  FixedArray(const FixedArray&) = delete;
  FixedArray& operator=(const FixedArray&) = delete;
  FixedArray& operator=(FixedArray&&) = delete;
  ~FixedArray() {
    if (items_ != nullptr) ::munmap(items_, bytes_);
  }

  [[nodiscard]] bool ok() const { return items_ != nullptr; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /** `i` is below `count`: indices come from the table itself, never off the wire. */
  T& operator[](std::size_t i) { return items_[i]; }
  const T& operator[](std::size_t i) const { return items_[i]; }

  /** Asks for element `i` to be in the cache soon; all its lines. */
  [[gnu::always_inline]] void prefetch(std::size_t i) const {
    const auto* at = static_cast<const std::byte*>(static_cast<const void*>(items_ + i));
    for (std::size_t line = 0; line < sizeof(T); line += kCacheLine) {
      __builtin_prefetch(at + line, 1);
    }
  }

 private:
  static constexpr std::size_t kCacheLine = 64;

  T* items_ = nullptr;
  std::size_t bytes_;
};

/** "No element" where an index stands. */
inline constexpr std::uint32_t kNone = 0xffffffff;

}  // namespace sluice
