/* text.h - a lock as text and back; private to pkg/lock. */
#ifndef LOCK_TEXT_H
#define LOCK_TEXT_H

#include "base/diag.h"
#include "lock/lock.h"

/*
 * Append the text of the lock and give its checksum, 16 hex digits, which
 * covers every byte of the text but its own digits.
 */
void text_write(struct strbuf *out, const struct lock *lock,
    char checksum[17]);

/*
 * The lock that text is, or NULL with a report.  `path` is for messages;
 * text is registered in sources (if not NULL) when something is reported.
 */
struct lock *text_read(struct arena *arena, const char *path,
    struct str text, struct sources *sources, struct diags *diags);

/* The checksum that a text claims, absent if it has none: of its head. */
struct str text_claim(struct str head);

#endif
