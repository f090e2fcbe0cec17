/*
 * The reference as a process of its own, with the few mappings of a small static program. Reads one
 * command from each line of stdin, answers with one number on stdout, 0 or as in reference.h:
 *   map PAGES NODE        maps and fills pages on a node, instead of the mapping before
 *   move CHUNK NODE, locate CHUNK, mbind NODE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "reference.h"

enum { MAXNODE = 64 + 1, FILL_BYTE = 0x5a };

static struct pages mapped;

static long long map(long page_count, int node) {
  const size_t page_size_bytes = (size_t)sysconf(_SC_PAGESIZE);
  const unsigned long mask = 1UL << node;
  if (mapped.start != NULL) munmap(mapped.start, (size_t)mapped.count * page_size_bytes);
  mapped.start = mmap(NULL, (size_t)page_count * page_size_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mapped.count = page_count;
  if (mapped.start == MAP_FAILED) return -errno;
  if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, MAXNODE) != 0) return -errno;
  memset(mapped.start, FILL_BYTE, (size_t)page_count * page_size_bytes);
  return syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0) == 0 ? 0 : -errno;
}

static long long run(const char* line) {
  char name[16] = "";
  long first = 0;
  long second = 0;
  sscanf(line, "%15s %ld %ld", name, &first, &second);
  if (strcmp(name, "map") == 0) return map(first, (int)second);
  if (strcmp(name, "move") == 0) return move_ns(mapped, first, (int)second);
  if (strcmp(name, "locate") == 0) return locate_ns(mapped, first);
  if (strcmp(name, "mbind") == 0) return mbind_ns(mapped, (int)first);
  return -ENOSYS;
}

int main(void) {
  char line[128];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) printf("%lld\n", run(line));
  return 0;
}
