/*
 * notes.h - the sentences for what the engine tells; for progress and
 * events alike.
 */
#ifndef UI_NOTES_H
#define UI_NOTES_H

#include "run/run.h"

/* "pod.trainer: created as k3x9 (2.1 s)"; escaped, in the arena; absent for
 * what people need not hear of. */
struct str notes_sentence(struct arena *arena, const struct run_note *note);

/* The action as one word: create, update, start, wait, stop, delete. */
const char *notes_verb(enum action_kind kind);

/* "4.2 s", "1m30s". */
struct str notes_elapsed(struct arena *arena, int64_t ms);

#endif
