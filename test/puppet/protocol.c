/* Reading arguments and writing replies; see protocol.h. */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char* text_at(const struct request* request, int index) {
  return index < request->count ? request->arguments[index] : "0";
}

uint64_t number_at(const struct request* request, int index) {
  return strtoull(text_at(request, index), NULL, 0);
}

static size_t count_items(const char* text) {
  size_t count = *text != '\0';
  for (; *text != '\0'; text++) count += *text == ',';
  return count;
}

/* Reads `null` and `@ADDRESS`; returns 0 when the text is a list. */
static int read_pointer(const char* text, struct vector* vector) {
  *vector = (struct vector){0};
  if (strcmp(text, "null") == 0) return 1;
  if (text[0] != '@') return 0;
  vector->pointer = (void*)(uintptr_t)strtoull(text + 1, NULL, 0);
  return 1;
}

/* Room for the items at the end of a mapping, before a page that cannot be accessed. */
static void map_before_end(struct vector* vector, size_t item_bytes) {
  size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  size_t items_bytes = vector->count * item_bytes;
  size_t room_bytes = (items_bytes / page_bytes + 1) * page_bytes;
  vector->bytes = room_bytes + page_bytes;
  vector->owned =
      mmap(NULL, vector->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (vector->owned == MAP_FAILED) abort();
  mprotect((char*)vector->owned + room_bytes, page_bytes, PROT_NONE);
  vector->pointer = (char*)vector->owned + room_bytes - items_bytes;
}

static struct vector read_list(const char* text, size_t item_bytes) {
  struct vector vector;
  if (read_pointer(text, &vector)) return vector;
  int is_ending = strncmp(text, "end:", 4) == 0;
  if (is_ending) text += 4;
  vector.count = count_items(text);
  if (is_ending) {
    map_before_end(&vector, item_bytes);
  } else {
    vector.owned = calloc(vector.count + 1, item_bytes);
    vector.pointer = vector.owned;
  }
  char* next = (char*)text;
  for (size_t i = 0; i < vector.count; i++) {
    uint64_t value = strtoull(next, &next, 0);
    if (*next == ',') next++;
    if (item_bytes == sizeof(int)) {
      ((int*)vector.pointer)[i] = (int)value;
    } else {
      ((uint64_t*)vector.pointer)[i] = value;
    }
  }
  return vector;
}

struct vector words_at(const struct request* request, int index) {
  return read_list(text_at(request, index), sizeof(uint64_t));
}

struct vector ints_at(const struct request* request, int index) {
  return read_list(text_at(request, index), sizeof(int));
}

void free_vector(struct vector* vector) {
  if (vector->bytes > 0) {
    munmap(vector->owned, vector->bytes);
  } else {
    free(vector->owned);
  }
}

void begin_reply(long result) {
  if (result == -1) {
    printf("err %d", errno);
  } else {
    printf("ok");
  }
}

void end_reply(void) {
  putchar('\n');
  fflush(stdout);
}

void put_number(long value) {
  char digits[24];
  char* start = digits + sizeof(digits);
  unsigned long rest = value < 0 ? 0 - (unsigned long)value : (unsigned long)value;
  do {
    *--start = (char)('0' + rest % 10);
  } while ((rest /= 10) > 0);
  if (value < 0) *--start = '-';
  while (start < digits + sizeof(digits)) putchar_unlocked(*start++);
}

void put_runs(const int* values, size_t count) {
  size_t next = 0;
  for (size_t i = 0; i < count; i = next) {
    while (next < count && values[next] == values[i]) next++;
    if (i > 0) putchar_unlocked(',');
    put_number(values[i]);
    if (next - i == 1) continue;
    putchar_unlocked('*');
    put_number((long)(next - i));
  }
}

void reply_result(long result) {
  begin_reply(result);
  if (result != -1) printf(" %ld", result);
  end_reply();
}
