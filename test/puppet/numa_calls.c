/*
 * The NUMA system calls as raw syscall(2), so that every argument reaches the kernel unchanged:
 * NULL and unmapped pointers, wrapped lengths, wide flag words.
 */
#define _GNU_SOURCE
#include "batch.h"
#include "protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers older than Linux 5.17 lack it; the number is one for all architectures. */
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif

/* A mask word that no test stores: shows which words of an output buffer the kernel wrote. */
static const uint64_t UNWRITTEN_WORD = 0xa5a5a5a5a5a5a5a5u;
enum { OUTPUT_WORDS = 1024, UNWRITTEN_MODE = -1 };

/* set_mempolicy MODE MASK MAXNODE */
static void set_mempolicy_command(const struct request* request) {
  struct vector mask = words_at(request, 1);
  reply_result(
      syscall(SYS_set_mempolicy, (int)number_at(request, 0), mask.pointer, number_at(request, 2)));
  free_vector(&mask);
}

/* get_mempolicy FLAGS ADDRESS MAXNODE (buffer|null|@POINTER) (mode|null|@POINTER)
 * Answers the stored mode (-1: not written) and the stored words, also after an error. */
static void get_mempolicy_command(const struct request* request) {
  static uint64_t words[OUTPUT_WORDS];
  for (size_t i = 0; i < OUTPUT_WORDS; i++) words[i] = UNWRITTEN_WORD;
  int mode = UNWRITTEN_MODE;
  void* mask_pointer = words;
  void* mode_pointer = &mode;
  if (strcmp(text_at(request, 3), "buffer") != 0) {
    mask_pointer = words_at(request, 3).pointer;
  }
  if (strcmp(text_at(request, 4), "mode") != 0) {
    mode_pointer = words_at(request, 4).pointer;
  }
  long result = syscall(SYS_get_mempolicy, mode_pointer, mask_pointer, number_at(request, 2),
                        number_at(request, 1), number_at(request, 0));
  begin_reply(result);
  printf(" %d", mode);
  size_t written = OUTPUT_WORDS;
  while (written > 0 && words[written - 1] == UNWRITTEN_WORD) written--;
  putchar(' ');
  for (size_t i = 0; i < written; i++) printf("%s%#lx", i > 0 ? "," : "", words[i]);
  if (written == 0) printf("none");
  end_reply();
}

/* mbind ADDRESS LENGTH MODE MASK MAXNODE FLAGS */
static void mbind_command(const struct request* request) {
  struct vector mask = words_at(request, 3);
  reply_result(syscall(SYS_mbind, number_at(request, 0), number_at(request, 1),
                       number_at(request, 2), mask.pointer, number_at(request, 4),
                       number_at(request, 5)));
  free_vector(&mask);
}

/* set_mempolicy_home_node ADDRESS LENGTH NODE FLAGS */
static void set_mempolicy_home_node_command(const struct request* request) {
  reply_result(syscall(SYS_set_mempolicy_home_node, number_at(request, 0), number_at(request, 1),
                       number_at(request, 2), number_at(request, 3)));
}

/* migrate_pages PID MAXNODE OLD NEW: the kernel takes one maxnode for both masks. */
static void migrate_pages_command(const struct request* request) {
  struct vector from = words_at(request, 2);
  struct vector to = words_at(request, 3);
  reply_result(syscall(SYS_migrate_pages, real_pid(number_at(request, 0)), number_at(request, 1),
                       from.pointer, to.pointer));
  free_vector(&from);
  free_vector(&to);
}

/* Addresses: a list, a bare pointer, or `span:ADDRESS` for COUNT consecutive pages. */
static struct vector pages_at(const struct request* request, int index, size_t count) {
  const char* text = text_at(request, index);
  if (strncmp(text, "span:", 5) != 0) return words_at(request, index);
  uint64_t address = strtoull(text + 5, NULL, 0);
  uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
  uint64_t* pages = calloc(count + 1, sizeof(*pages));
  for (size_t i = 0; i < count; i++) pages[i] = address + i * page_bytes;
  return (struct vector){.pointer = pages, .count = count, .owned = pages};
}

/* Target nodes: a list, a bare pointer, or `all:NODE`. */
static struct vector nodes_at(const struct request* request, int index, size_t count) {
  const char* text = text_at(request, index);
  if (strncmp(text, "all:", 4) != 0) return ints_at(request, index);
  int node = atoi(text + 4);
  int* nodes = calloc(count + 1, sizeof(*nodes));
  for (size_t i = 0; i < count; i++) nodes[i] = node;
  return (struct vector){.pointer = nodes, .count = count, .owned = nodes};
}

/* move_pages PID COUNT PAGES NODES (PREFILLED_STATUS...|null|@POINTER) FLAGS
 * Answers the result and the status array, the array also after an error. A list of `end:` may be
 * shorter than COUNT. */
static void move_pages_command(const struct request* request) {
  size_t count = number_at(request, 1);
  struct vector pages = pages_at(request, 2, count);
  struct vector nodes = nodes_at(request, 3, count);
  struct vector status = nodes_at(request, 4, count);
  long result = syscall(SYS_move_pages, real_pid(number_at(request, 0)), count, pages.pointer,
                        nodes.pointer, status.pointer, (int)number_at(request, 5));
  begin_reply(result);
  if (result != -1) printf(" %ld", result);
  putchar(' ');
  size_t told = status.bytes > 0 ? status.count : count;
  if (status.owned != NULL) put_runs(status.pointer, told);
  if (status.owned == NULL || told == 0) printf("none");
  end_reply();
  free_vector(&pages);
  free_vector(&nodes);
  free_vector(&status);
}

int run_numa_command(const struct request* request) {
  static const struct {
    const char* name;
    void (*run)(const struct request*);
  } commands[] = {
      {"set_mempolicy", set_mempolicy_command},
      {"get_mempolicy", get_mempolicy_command},
      {"mbind", mbind_command},
      {"set_mempolicy_home_node", set_mempolicy_home_node_command},
      {"migrate_pages", migrate_pages_command},
      {"move_pages", move_pages_command},
  };
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
    if (strcmp(request->name, commands[i].name) != 0) continue;
    commands[i].run(request);
    return 1;
  }
  return 0;
}
