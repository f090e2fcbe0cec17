// The process-wide table of mappings. A mapping lives while anything shares it: an owner, the
// backing store of an ArrayBuffer, a running call. Its addresses are unmapped when the last share
// is dropped, never earlier. A handle finds a mapping only while it has an owner.
#ifndef NODE_NUMA_SUPPORT_MAPPING_H_
#define NODE_NUMA_SUPPORT_MAPPING_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace node_numa {

using UnmapFunction = int (*)(void* address, size_t length_bytes);

/** One mapped range. Immutable, so threads may share it freely. */
class Mapping {
 public:
  Mapping(void* address, size_t length_bytes, UnmapFunction unmap, uint32_t id, uint32_t generation)
      : address(address),
        length_bytes(length_bytes),
        id(id),
        generation(generation),
        unmap_(unmap) {}
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  void* const address;
  const size_t length_bytes;
  const uint32_t id;
  const uint32_t generation;

 private:
  const UnmapFunction unmap_;
};

/** Keeps a mapping mapped. */
using MappingShare = std::shared_ptr<Mapping>;

/** Enters a fresh mapping with one owner; `unmap` runs when the last share is dropped. */
MappingShare AdoptMapping(void* address, size_t length_bytes, UnmapFunction unmap);

/** Adds an owner. Null for a stale handle, an unknown one, or a mapping without owners. */
MappingShare AttachMapping(uint64_t id, uint64_t generation);

/** Removes an owner and drops its share; `share` is null afterwards. */
void DropOwner(MappingShare* share);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_MAPPING_H_
