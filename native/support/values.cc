#include "values.h"

#include <cstdio>
#include <cstring>

namespace node_numa {

namespace {

// By reference: the call that has `status` for its answer writes `value`, before or after a copy.
napi_value Made(napi_status status, const napi_value& value) {
  return status == napi_ok ? value : nullptr;
}

}  // namespace

napi_value Values::Undefined() const {
  napi_value value = nullptr;
  return Made(napi_get_undefined(env_, &value), value);
}

napi_value Values::Null() const {
  napi_value value = nullptr;
  return Made(napi_get_null(env_, &value), value);
}

napi_value Values::Boolean(bool value) const {
  napi_value made = nullptr;
  return Made(napi_get_boolean(env_, value, &made), made);
}

napi_value Values::Number(double value) const {
  napi_value made = nullptr;
  return Made(napi_create_double(env_, value, &made), made);
}

napi_value Values::BigInt(uint64_t value) const {
  napi_value made = nullptr;
  return Made(napi_create_bigint_uint64(env_, value, &made), made);
}

napi_value Values::String(const char* text) const {
  napi_value made = nullptr;
  return Made(napi_create_string_utf8(env_, text, NAPI_AUTO_LENGTH, &made), made);
}

napi_value Values::Object(std::initializer_list<Member> members,
                          napi_property_attributes attributes) const {
  napi_value made = nullptr;
  napi_value object = Made(napi_create_object(env_, &made), made);
  for (const Member& member : members) {
    object = With(object, member.name, member.value, attributes);
  }
  return object;
}

napi_value Values::Frozen(napi_value object) const {
  return object == nullptr ? nullptr : Made(napi_object_freeze(env_, object), object);
}

napi_value Values::Array(const std::vector<napi_value>& elements) const {
  napi_value made = nullptr;
  napi_value array = Made(napi_create_array(env_, &made), made);
  for (size_t index = 0; index < elements.size(); ++index) {
    char name[sizeof "18446744073709551615"];
    snprintf(name, sizeof name, "%zu", index);
    array = With(array, name, elements[index], napi_default_jsproperty);
  }
  return array;
}

napi_value Values::Numbers(const std::vector<int>& numbers) const {
  std::vector<napi_value> elements;
  elements.reserve(numbers.size());
  for (const int number : numbers) elements.push_back(Number(number));
  return Array(elements);
}

napi_value Values::BigUint64s(const uint64_t* words, size_t count) const {
  return Elements(words, count, sizeof *words, napi_biguint64_array);
}

napi_value Values::Int32s(const int32_t* numbers, size_t count) const {
  return Elements(numbers, count, sizeof *numbers, napi_int32_array);
}

napi_value Values::Elements(const void* elements, size_t count, size_t bytes,
                            napi_typedarray_type type) const {
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_create_arraybuffer(env_, count * bytes, &data, &buffer) != napi_ok) return nullptr;
  if (count > 0) memcpy(data, elements, count * bytes);
  napi_value array = nullptr;
  return Made(napi_create_typedarray(env_, type, count, buffer, 0, &array), array);
}

napi_value Values::With(napi_value object, const char* name, napi_value value,
                        napi_property_attributes attributes) const {
  if (object == nullptr || value == nullptr) return nullptr;
  const napi_property_descriptor property = {name,    nullptr, nullptr,    nullptr,
                                             nullptr, value,   attributes, nullptr};
  return Made(napi_define_properties(env_, object, 1, &property), object);
}

}  // namespace node_numa
