/*
 * Whole programs at once: `puppet batch` reads them from stdin and answers each with one line.
 * Without a word to wait for between two calls, a program takes a few milliseconds in a guest.
 */
#ifndef PUPPET_BATCH_H
#define PUPPET_BATCH_H

#include "protocol.h"

#include <sys/types.h>

/* Numbers no process has stand for the processes of a program: the first of them for process 0. */
enum { BATCH_PID_FIRST = 1000000000, BATCH_PROCESSES_MAX = 16, BATCH_KEEPER = 15, BATCH_HOST = 14 };

int run_batch(void);

/* fork NUMBER, exit, in a batch; returns 0 outside of one and for any other name. */
int run_batch_command(const struct request* request);

/* The pid that a command means. */
pid_t real_pid(uint64_t number);

/* The number of the calling process in its program. */
int batch_process(void);

/* A process that the kernel looks at in place of those of programs: to be killed. */
pid_t occupy_khugepaged(void);

#endif
