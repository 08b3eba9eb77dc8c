/* parts.h - what the files of pkg/lock share about a lock in memory. */
#ifndef LOCK_PARTS_H
#define LOCK_PARTS_H

#include "lock/lock.h"

/* Give the lock arrays of its own before it is changed; see lock.h. */
void lock_detach(struct lock *lock);

/* False: no entry is deposed. */
bool lock_may_have_deposed(struct lock *lock);
/* Around a change of an entry's address, id or deposed. */
void lock_forget_keys(struct lock *lock, const struct lock_entry *entry);
void lock_remember_keys(struct lock *lock, const struct lock_entry *entry);

bool lock_has_grave(struct lock *lock, const struct id128 *op);

void lock_remove_op(struct lock *lock, struct lock_op *op);

/* Orders of the file, for qsort. */
int lock_order_entries(const void *a, const void *b);
int lock_order_ops(const void *a, const void *b);

#endif
