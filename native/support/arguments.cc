#include "arguments.h"

#include <cmath>
#include <cstring>
#include <string>

#include "values.h"

namespace node_numa {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

std::string Message(const char* name, const char* expected) {
  return std::string("The \"") + name + "\" argument must be " + expected;
}

}  // namespace

bool ReadTypedArray(napi_env env, napi_value value, napi_typedarray_type type, void** data,
                    size_t* length) {
  bool is_typed_array = false;
  napi_typedarray_type actual;
  if (napi_is_typedarray(env, value, &is_typed_array) != napi_ok || !is_typed_array) return false;
  if (napi_get_typedarray_info(env, value, &actual, length, data, nullptr, nullptr) != napi_ok ||
      actual != type) {
    return false;
  }
  // SAFETY: the pointer of a detached array names nothing.
  if (*length == 0) *data = nullptr;
  return true;
}

napi_value Arguments::Peek() const {
  return info_[next_];
}

napi_value Arguments::Next() {
  return info_[next_++];
}

bool Arguments::NextIs(napi_valuetype type) const {
  napi_valuetype actual = napi_undefined;
  return napi_typeof(info_.Env(), Peek(), &actual) == napi_ok && actual == type;
}

bool Arguments::NextIsTypedArray() const {
  bool is_typed_array = false;
  return napi_is_typedarray(info_.Env(), Peek(), &is_typed_array) == napi_ok && is_typed_array;
}

void Arguments::RefuseType(const char* name, const char* expected) {
  if (valid_) {
    Unneeded(napi_throw_type_error(info_.Env(), "ERR_INVALID_ARG_TYPE",
                                   Message(name, expected).c_str()));
  }
  valid_ = false;
}

void Arguments::RefuseRange(const char* name, const char* expected) {
  if (valid_) {
    Unneeded(
        napi_throw_range_error(info_.Env(), "ERR_OUT_OF_RANGE", Message(name, expected).c_str()));
  }
  valid_ = false;
}

double Arguments::Integer(const char* name, double min, double max, const char* expected) {
  const napi_value value = Next();
  double number = 0;
  if (napi_get_value_double(info_.Env(), value, &number) != napi_ok) {
    RefuseType(name, "a number");
    return 0;
  }
  // NaN fails both comparisons.
  if (!(number >= min && number <= max) || number != std::floor(number)) {
    RefuseRange(name, expected);
    return 0;
  }
  return number;
}

uint64_t Arguments::Size(const char* name) {
  return static_cast<uint64_t>(
      Integer(name, 0, kMaxSafeInteger, "an integer from 0 to 2 ** 53 - 1"));
}

int32_t Arguments::Bits32(const char* name) {
  const double number =
      Integer(name, INT32_MIN, UINT32_MAX, "an integer from -(2 ** 31) to 2 ** 32 - 1");
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(number)));
}

uint64_t Arguments::Address(const char* name) {
  const napi_value value = Next();
  uint64_t address = 0;
  bool lossless = false;
  if (napi_get_value_bigint_uint64(info_.Env(), value, &address, &lossless) != napi_ok) {
    RefuseType(name, "a bigint");
    return 0;
  }
  if (!lossless) {
    RefuseRange(name, "a bigint from 0 to 2 ** 64 - 1");
    return 0;
  }
  return address;
}

bool Arguments::IsWrite(const char* name) {
  // A longer word is cut, and is neither.
  char word[sizeof "write" + 1] = "";
  const napi_status status =
      napi_get_value_string_utf8(info_.Env(), Next(), word, sizeof word, nullptr);
  const bool is_write = strcmp(word, "write") == 0;
  if (status != napi_ok || (!is_write && strcmp(word, "read") != 0)) {
    RefuseType(name, "'read' or 'write'");
  }
  return is_write;
}

template <typename T>
Elements<T> Arguments::TypedArray(napi_value value, napi_typedarray_type type, const char* name,
                                  const char* expected) {
  void* data = nullptr;
  size_t length = 0;
  if (!ReadTypedArray(info_.Env(), value, type, &data, &length)) {
    RefuseType(name, expected);
    return {};
  }
  return {static_cast<T*>(data), length};
}

MaskWords Arguments::Mask(const char* name) {
  const bool is_null = NextIs(napi_null);
  const napi_value value = Next();
  if (is_null) return {};
  const Elements<unsigned long> words =
      TypedArray<unsigned long>(value, napi_biguint64_array, name, "a BigUint64Array or null");
  return {words.data, words.length, false};
}

Elements<uint64_t> Arguments::BigUint64s(const char* name) {
  return TypedArray<uint64_t>(Next(), napi_biguint64_array, name, "a BigUint64Array");
}

Elements<int32_t> Arguments::Int32s(const char* name) {
  return TypedArray<int32_t>(Next(), napi_int32_array, name, "an Int32Array");
}

Elements<unsigned char> Arguments::Bytes(const char* name) {
  return TypedArray<unsigned char>(Next(), napi_uint8_array, name, "a Uint8Array");
}

void Arguments::RequireMask(const MaskWords& words, uint64_t maxnode, const char* name) {
  // The kernel reads nothing through NULL, and nothing for 0, which it takes for too many.
  if (words.is_null || maxnode == 0) return;
  const uint64_t words_read = (maxnode - 1 + 63) / 64;
  if (words_read > words.length) RefuseRange(name, "long enough for maxnode - 1 bits");
}

}  // namespace node_numa
