// Reads a call's JavaScript arguments in order and checks what the kernel cannot check: that they
// can be passed at all, and that no pointer reaches beyond its array. The first bad argument leaves
// a TypeError or RangeError that names it; later reads then give zeros.
#ifndef NODE_NUMA_SUPPORT_ARGUMENTS_H_
#define NODE_NUMA_SUPPORT_ARGUMENTS_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>

namespace node_numa {

/** Elements of a typed array, valid until JavaScript runs again. */
template <typename T>
struct Elements {
  T* data = nullptr;
  size_t length = 0;
};

/** Words of a node mask; null is the NULL pointer, unlike an empty array. */
struct MaskWords {
  const unsigned long* data = nullptr;
  size_t length = 0;
  bool is_null = true;
};

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  /** False once an argument was refused; the JavaScript exception is pending then. */
  bool Valid() const { return valid_; }

  /** The next argument, left where it is. */
  napi_value Peek() const;
  /** The next argument as it is. */
  napi_value Next();
  /** Whether the next argument is of that type, or a typed array. */
  bool NextIs(napi_valuetype type) const;
  bool NextIsTypedArray() const;

  /** An integer from 0 to 2^53 - 1. */
  uint64_t Size(const char* name);
  /** Thirty-two bits, given as a signed or as an unsigned integer. */
  int32_t Bits32(const char* name);
  /** A bigint from 0 to 2^64 - 1. */
  uint64_t Address(const char* name);
  /** An access by its word: true for 'write', false for 'read'. */
  bool IsWrite(const char* name);
  /** A BigUint64Array or null. */
  MaskWords Mask(const char* name);
  Elements<uint64_t> BigUint64s(const char* name);
  Elements<int32_t> Int32s(const char* name);
  Elements<unsigned char> Bytes(const char* name);

  /** The kernel reads `maxnode - 1` bits, in whole words: refuses a mask that holds fewer. */
  void RequireMask(const MaskWords& words, uint64_t maxnode, const char* name);

  void RefuseType(const char* name, const char* expected);
  void RefuseRange(const char* name, const char* expected);

 private:
  template <typename T>
  Elements<T> TypedArray(napi_value value, napi_typedarray_type type, const char* name,
                         const char* expected);
  double Integer(const char* name, double min, double max, const char* expected);

  const Napi::CallbackInfo& info_;
  size_t next_ = 0;
  bool valid_ = true;
};

/** The typed array's elements if `value` is one of that type; a detached array has none. */
bool ReadTypedArray(napi_env env, napi_value value, napi_typedarray_type type, void** data,
                    size_t* length);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_ARGUMENTS_H_
