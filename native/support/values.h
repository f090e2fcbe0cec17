// Makes the JavaScript values of an answer. The engine may refuse any step, and from one moment to
// the next: once a worker thread is terminated it refuses all that could run JavaScript. A refused
// value is null, and so is everything that is made of one: no result can be used unlooked at.
//
// Members and elements are defined, not assigned: an assignment runs setters that scripts may have
// put on Object.prototype and Array.prototype.
#ifndef NODE_NUMA_SUPPORT_VALUES_H_
#define NODE_NUMA_SUPPORT_VALUES_H_

#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace node_numa {

class Values {
 public:
  struct Member {
    const char* name;
    napi_value value;
  };

  explicit Values(napi_env env) : env_(env) {}

  napi_value Undefined() const;
  napi_value Null() const;
  napi_value Boolean(bool value) const;
  napi_value Number(double value) const;
  napi_value BigInt(uint64_t value) const;
  napi_value String(const char* text) const;
  napi_value Object(std::initializer_list<Member> members,
                    napi_property_attributes attributes = napi_default_jsproperty) const;
  napi_value Frozen(napi_value object) const;
  napi_value Array(const std::vector<napi_value>& elements) const;
  napi_value Numbers(const std::vector<int>& numbers) const;
  /** A BigUint64Array with a copy of the words. */
  napi_value BigUint64s(const uint64_t* words, size_t count) const;
  /** An Int32Array with a copy of the numbers. */
  napi_value Int32s(const int32_t* numbers, size_t count) const;

 private:
  napi_value Elements(const void* elements, size_t count, size_t bytes,
                      napi_typedarray_type type) const;
  napi_value With(napi_value object, const char* name, napi_value value,
                  napi_property_attributes attributes) const;

  napi_env env_;
};

/** For calls of Node-API whose failure changes nothing: what they would do is undone otherwise. */
inline void Unneeded(napi_status /*status*/) {}

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_VALUES_H_
