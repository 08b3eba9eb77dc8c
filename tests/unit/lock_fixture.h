/* lock_fixture.h - locks and records that tests of pkg/lock start from. */
#ifndef TESTS_LOCK_FIXTURE_H
#define TESTS_LOCK_FIXTURE_H

#include "fake_fs.h"
#include "lock/journal.h"
#include "lock/lock.h"

#define LINEAGE "000102030405060708090a0b0c0d0e0f"
#define LOCK_PATH "project/podform.lock"
#define BACKUP_PATH LOCK_PATH ".backup"
#define JOURNAL_PATH "project/.podform/journal"

/* A disk with the directory of a project, an arena and diagnostics. */
struct bench {
	struct fake_fs *fake;
	struct fs fs;
	struct fake_chance chance_state;
	struct chance chance;
	struct arena arena;
	struct sources sources;
	struct diags diags;
	struct strbuf printed;
};

void bench_init(struct bench *b);
void bench_release(struct bench *b);
/* All diagnostics so far as people read them; they are then forgotten. */
const char *bench_report(struct bench *b);

struct id128 op_id(unsigned n);

/* An entry with everything that one can have. */
struct lock_entry full_pod(const char *address, const char *id);
struct lock_entry full_volume(const char *address, const char *id);
/* A lock before the first commit: without lineage or serial. */
struct lock *empty_lock(struct arena *arena);
/* A lock with one of each thing; serial 41. */
struct lock *full_lock(struct arena *arena);
/* A lock without resources, of the lineage, with that serial. */
struct lock *bare_lock(struct arena *arena, int64_t serial);

/* Records. */
struct record begin_record(int64_t serial);
struct record intent_record(unsigned op, enum op_action action,
    const char *address, const char *id);
struct record result_record(unsigned op, enum op_outcome outcome,
    const char *id);

/* The text of a lock, in the arena. */
const char *text_of(struct arena *arena, const struct lock *lock);

/* One line per entry, pending op and tombstone, for comparing. */
const char *outline(struct arena *arena, const struct lock *lock);

#endif
