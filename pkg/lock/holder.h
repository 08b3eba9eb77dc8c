/*
 * holder.h - who works on a record, as text; private to pkg/lock.
 */
#ifndef LOCK_HOLDER_H
#define LOCK_HOLDER_H

#include "base/strbuf.h"
#include "lock/mutex.h"

enum { HOLDER_BYTES_MAX = 16 << 10 };

/* One JSON object and a line end.  released: nobody works there any more. */
void holder_put(struct strbuf *out, const struct mutex_holder *holder,
    bool released);
/* Strs in the arena.  False for torn, foreign or empty text, which names
 * nobody: *holder is then empty. */
bool holder_get(struct arena *arena, struct str text,
    struct mutex_holder *holder, bool *released);

/* The same in the form that Terraform gives to its backends ("ID", "Who"),
 * which servers and other tools show. */
void holder_put_info(struct strbuf *out, const struct mutex_holder *holder);
bool holder_get_info(struct arena *arena, struct str text,
    struct mutex_holder *holder);

#endif
