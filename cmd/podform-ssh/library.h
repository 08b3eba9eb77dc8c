/*
 * library.h - libssh2, set up as we want it, and what it does not tell.
 */
#ifndef PODFORM_SSH_LIBRARY_H
#define PODFORM_SSH_LIBRARY_H

#include <libssh2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker;

/* Have libssh2 and libcrypto load and set up all that a session needs, so
 * that workers share it and need no files. */
bool library_load(void);
bool library_load_keystream(void);	/* keystream.c, called by it */

/* A session over the worker's transport, with our algorithms only. */
LIBSSH2_SESSION *library_session(struct worker *worker);

/* What was agreed upon, for people: "curve25519-sha256, ssh-ed25519, ...". */
void library_methods(LIBSSH2_SESSION *session, char *text, size_t size);

/* While this is on, a request that waits for the server gives up: its next
 * call fails with LIBSSH2_ERROR_TIMEOUT, which it would do after 60 s. */
void library_hurry(bool on);

/* Bytes that libssh2 has allocated now. */
size_t library_held(void);

/* Allocate what libssh2 will free; NULL if it is more than any packet. */
void *library_alloc(size_t size);
/* How large is what the library has allocated? */
size_t library_size(const void *memory);
/* Note the next thing of this size that the library allocates; NULL: it has
 * not. */
void library_note(size_t size);
void *library_noted(void);

#endif
