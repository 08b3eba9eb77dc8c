/*
 * listeners.h - the least that can stand behind a pod: a TCP port of
 * 127.0.0.1 that greets with an SSH banner and says nothing more.
 */
#ifndef SIM_LISTENERS_H
#define SIM_LISTENERS_H

#include <stddef.h>
#include <stdint.h>

struct listeners;

struct listeners *listeners_new(void);
void listeners_free(struct listeners *listeners);
/* Readable when listeners_turn() has work. */
int listeners_fd(const struct listeners *listeners);
/* Greet whoever has come. */
void listeners_turn(struct listeners *listeners);
/* A listener on a free port, -1 if there is none; close() ends it. */
int listeners_open(struct listeners *listeners, uint16_t *port);

#endif
