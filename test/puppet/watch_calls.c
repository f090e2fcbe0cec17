/*
 * What a process of a program looks like after a step, in few words: the CPUs that it may run on,
 * and the memory areas of one range with their lines of numa_maps. It looks at itself: handing over
 * to somebody else would take an emulator longer than all the rest.
 */
#define _GNU_SOURCE
#include "batch.h"
#include "protocol.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* READ_BYTES: some lines, since the kernel makes no more than are asked for. */
enum { FILE_BYTES = 1 << 14, TEXT_BYTES = 1 << 13, READ_BYTES = 256, PAGE_SHIFT = 12 };

/* The process's own files, and what it told last; a child begins anew. */
static struct {
  int owner;
  int maps;
  int numa_maps;
  char text[TEXT_BYTES];
} watched = {.owner = -1};

struct span {
  uint64_t start;
  uint64_t end;
};

static void begin_watching(void) {
  if (watched.owner == batch_process()) return;
  if (watched.owner >= 0) {
    close(watched.maps);
    close(watched.numa_maps);
  }
  watched.owner = batch_process();
  watched.maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  watched.numa_maps = open("/proc/self/numa_maps", O_RDONLY | O_CLOEXEC);
  watched.text[0] = '\0';
}

/* The file's lines up to the first that lies behind the range; -1 where it cannot be read. All that
 * is no part of a program lies behind its range: a puppet is a program that can be anywhere. */
static int read_file(int file, struct span span, char* text) {
  size_t length = 0;
  ssize_t count = 0;
  while (length + READ_BYTES < FILE_BYTES &&
         (count = pread(file, text + length, READ_BYTES, (off_t)length)) > 0) {
    length += (size_t)count;
    text[length] = '\0';
    char* last = memrchr(text, '\n', length - 1);
    if (strtoull(last == NULL ? text : last + 1, NULL, 16) >= span.end) break;
  }
  text[length] = '\0';
  return count < 0 ? -1 : 0;
}

/* The first line of the range, or behind it, from `line` on. */
static char* seek_line(char* line, uint64_t start) {
  while (*line != '\0' && strtoull(line, NULL, 16) < start) {
    line = strchr(line, '\n');
    if (line == NULL) return "";
    line++;
  }
  return line;
}

static char* append(char* end, const char* text, size_t length) {
  memcpy(end, text, length);
  return end + length;
}

static char* append_number(char* end, uint64_t value) {
  char digits[24];
  char* start = digits + sizeof(digits);
  do {
    *--start = (char)('0' + value % 10);
  } while ((value /= 10) > 0);
  return append(end, start, (size_t)(digits + sizeof(digits) - start));
}

static int begins_with(const char* text, const char* beginning) {
  return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The words of a numa_maps line behind its address: its policy, what it counts of its pages.
 * Names and what depends on reclaim are left out, and of a pool's whether anybody has ever written
 * to the page. */
static char* append_counts(char* end, const char* word) {
  int is_of_pool = 0;
  while (*word != '\n' && *word != '\0') {
    size_t length = strcspn(word, " \n");
    int is_free = begins_with(word, "file=") || begins_with(word, "active=") ||
                  begins_with(word, "kernelpagesize_kB=") ||
                  (is_of_pool && begins_with(word, "dirty="));
    if (length == 4 && begins_with(word, "huge")) is_of_pool = 1;
    if (length > 0 && !is_free) {
      *end++ = '~';
      end = append(end, word, length);
    }
    word += length;
    while (*word == ' ') word++;
  }
  return end;
}

/* `/FIRST+COUNT:rw-p~POLICY~COUNTS` for each area of the range. */
static char* append_areas(char* end, char* maps, char* numa_maps, struct span span) {
  char* line = seek_line(maps, span.start);
  char* counts = seek_line(numa_maps, span.start);
  for (;;) {
    char* rest = NULL;
    uint64_t start = strtoull(line, &rest, 16);
    if (*line == '\0' || start >= span.end) return end;
    uint64_t stop = strtoull(rest + 1, &rest, 16);
    *end++ = '/';
    end = append_number(end, (start - span.start) >> PAGE_SHIFT);
    *end++ = '+';
    end = append_number(end, (stop - start) >> PAGE_SHIFT);
    *end++ = ':';
    end = append(end, rest + 1, 4);
    if (strtoull(counts, &rest, 16) == start) end = append_counts(end, rest + 1);
    line = seek_line(line, start + 1);
    counts = seek_line(counts, start + 1);
  }
}

static char* append_cpus(char* end) {
  static long online;
  cpu_set_t cpus;
  if (online == 0) online = sysconf(_SC_NPROCESSORS_ONLN);
  if (online == 1) return append(end, "0", 1);
  if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) return end;
  int left = CPU_COUNT(&cpus);
  for (int cpu = 0; left > 0; cpu++) {
    if (!CPU_ISSET(cpu, &cpus)) continue;
    end = append_number(end, (uint64_t)cpu);
    if (--left > 0) *end++ = '.';
  }
  return end;
}

/* Commas are the protocol's. */
static void describe(struct span span, char* text) {
  static char maps[FILE_BYTES];
  static char numa_maps[FILE_BYTES];
  char* end = append_cpus(text);
  if (read_file(watched.maps, span, maps) == 0 &&
      read_file(watched.numa_maps, span, numa_maps) == 0) {
    end = append_areas(end, maps, numa_maps, span);
  }
  *end = '\0';
  for (char* comma = text; (comma = strchr(comma, ',')) != NULL;) *comma = '.';
}

/* watch ADDRESS LENGTH: the process's CPUs and areas, or `=` where they are as it told before. */
int run_watch_command(const struct request* request) {
  if (strcmp(request->name, "watch") != 0) return 0;
  static char text[TEXT_BYTES];
  uint64_t start = number_at(request, 0);
  struct span span = {.start = start, .end = start + number_at(request, 1)};
  begin_watching();
  describe(span, text);
  int is_told = strcmp(watched.text, text) == 0;
  strcpy(watched.text, text);
  printf("ok %s", is_told ? "=" : text);
  end_reply();
  return 1;
}
