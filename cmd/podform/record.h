/* record.h - one record of the lock, for people and programs. */
#ifndef CMD_RECORD_H
#define CMD_RECORD_H

#include "base/json.h"
#include "lock/lock.h"
#include "ui/style.h"

/* "running", "stopped", "deposed", "tainted": as last applied. */
struct str record_state(const struct lock_entry *entry);

void record_json(struct json_writer *w, const struct lock_entry *entry);
void record_text(struct strbuf *out, struct arena *arena,
    const struct lock_entry *entry, struct style style);

/* The entry of an address, else NULL with a report and a suggestion. */
struct lock_entry *record_find(struct lock *lock, struct str address,
    struct diags *diags);

#endif
