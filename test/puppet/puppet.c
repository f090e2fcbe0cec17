/*
 * A process on a string: it makes the system calls that a test tells it to, and nothing else.
 * Reads one command from each line of stdin, answers with one line on stdout (protocol.h), ends
 * with its input; `puppet batch` reads whole programs (batch.h). Static and without libnuma, so
 * that it runs in a guest as it is.
 */
#define _GNU_SOURCE
#include "batch.h"
#include "protocol.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

void relay_to_child(const char* text);
void relay_to_thread(char* text);

void run_line(char* line) {
  line[strcspn(line, "\n")] = '\0';
  if (strncmp(line, "child ", 6) == 0) {
    relay_to_child(line + 6);
    return;
  }
  if (strncmp(line, "on_thread ", 10) == 0) {
    relay_to_thread(line + 10);
    return;
  }
  char* rest = line;
  struct request request = {.name = strsep(&rest, " ")};
  while (rest != NULL && request.count < ARGUMENTS_MAX) {
    request.arguments[request.count++] = strsep(&rest, " ");
  }
  if (run_batch_command(&request)) return;
  if (run_numa_command(&request) || run_memory_command(&request) || run_process_command(&request)) {
    return;
  }
  if (run_object_command(&request) || run_device_command(&request)) return;
  if (run_thread_command(&request) || run_state_command(&request)) return;
  if (run_group_command(&request)) return;
  if (run_file_command(&request) || run_watch_command(&request)) return;
  errno = ENOSYS;
  reply_result(-1);
}

/* With another argument it was executed by a puppet (thread_calls.c), whose reply it owes. */
int main(int count, char** arguments) {
  char* line = NULL;
  size_t capacity = 0;
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  if (count > 1 && strcmp(arguments[1], "batch") == 0) return run_batch();
  if (count > 1) reply_result(0);
  while (getline(&line, &capacity, stdin) > 0) run_line(line);
  return 0;
}
