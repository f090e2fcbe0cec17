#include "sysfs_list.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace node_numa {

static std::vector<int> ParseList(const char* text) {
  std::vector<int> numbers;
  while (*text >= '0' && *text <= '9') {
    char* rest;
    const long first = strtol(text, &rest, 10);
    const long last = *rest == '-' ? strtol(rest + 1, &rest, 10) : first;
    for (long number = first; number <= last; ++number) numbers.push_back(static_cast<int>(number));
    text = *rest == ',' ? rest + 1 : rest;
  }
  return numbers;
}

SyscallResult ReadList(const char* path, const char* key, std::vector<int>* numbers) {
  FILE* const file = fopen(path, "re");
  const SyscallResult opened = SyscallResult::Capture(file == nullptr ? -1 : 0, "open");
  if (!opened.Ok()) return opened;
  char* line = nullptr;
  size_t capacity = 0;
  while (getline(&line, &capacity, file) >= 0) {
    if (strncmp(line, key, strlen(key)) != 0) continue;
    const char* const text = line + strlen(key);
    *numbers = ParseList(text + strspn(text, " \t"));
    break;
  }
  free(line);
  fclose(file);
  return {};
}

}  // namespace node_numa
