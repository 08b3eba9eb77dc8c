/*
 * shell.h - for tests of edges: real programs and real files.
 */
#ifndef TESTS_UNIT_SHELL_H
#define TESTS_UNIT_SHELL_H

#include "base/arena.h"
#include "base/str.h"

/* A directory of its own, below TMPDIR; absolute, on the arena. */
const char *shell_directory(struct arena *arena);
/* Run text with /bin/sh in directory: its exit status, -1 for a signal.
 * What it printed, both streams, is in *output (may be NULL). */
int shell_run(struct arena *arena, const char *directory, const char *text,
    struct str *output);
/* The same, and it must have ended well. */
struct str shell_ok(struct arena *arena, const char *directory,
    const char *text);
struct str shell_read(struct arena *arena, const char *path);
void shell_write(const char *path, struct str bytes, unsigned mode);
/* Remove the directory with all in it. */
void shell_remove(const char *directory);

#endif
