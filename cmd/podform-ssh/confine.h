/*
 * confine.h - what a worker cannot do, whoever controls it.
 */
#ifndef PODFORM_SSH_CONFINE_H
#define PODFORM_SSH_CONFINE_H

#include <sys/types.h>

/* The server of workers: no environment, no descriptors but 0 to 3 (which
 * 0 to 2 lead nowhere), no core dumps, no new privileges. */
void confine_server(void);
/* A worker, before it reads the first byte: no memory beyond bounds, nobody
 * may look into it, it dies with its server, and system calls are those of
 * confine.c alone.  Keeps one descriptor, which becomes 3. */
void confine_worker(int wire, pid_t server);

#endif
