// What the parts of the binding share: values in, values out, errors as exceptions.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "flow-table.hpp"

namespace sluice {

Napi::String toString(Napi::Env env, std::string_view text);
Napi::Value toNumber(Napi::Env env, std::uint64_t value);

/** Throws a JavaScript error with a `code`, unless one is under way already. */
void throwError(Napi::Env env, const char* code, const std::string& message);

[[nodiscard]] bool isArray(const Napi::Value& value, napi_typedarray_type type);

/**
 * Reads a whole number of 0..2^53-1 from `options[name]`; leaves `to` alone when it is
 * absent.
 */
template <class Number>
[[nodiscard]] bool readOption(const Napi::Object& options, const char* name, Number& to) {
  const Napi::Value value = options.Get(name);
  if (value.IsEmpty()) return false;  // a getter has thrown
  if (value.IsUndefined()) return true;
  if (!value.IsNumber()) return false;
  const double number = value.As<Napi::Number>().DoubleValue();
  constexpr double kMaxSafeInteger = 9007199254740991.0;
  if (!(number >= 0 && number <= kMaxSafeInteger)) return false;
  const auto whole = static_cast<std::uint64_t>(number);
  to = static_cast<Number>(whole);
  return std::uint64_t{to} == whole && static_cast<double>(whole) == number;
}

/** Reads a flag from `options[name]`; leaves `to` alone when it is absent. */
[[nodiscard]] bool readFlag(const Napi::Object& options, const char* name, bool& to);

/** Options of a flow table, checked; what is absent keeps its default. */
[[nodiscard]] bool readOptions(const Napi::Object& from, FlowTableOptions& to);

Napi::Object countersOf(Napi::Env env, const FlowCounters& counted,
                        const FlowGauges& now);

/** The JavaScript class over a capture thread: binding-capture.cpp. */
Napi::Function defineCapture(Napi::Env env);

/** The JavaScript class over the reader of capture files: binding-indexer.cpp. */
Napi::Function defineIndexer(Napi::Env env);

}  // namespace sluice
