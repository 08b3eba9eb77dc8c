/*
 * plan_file.h - a saved plan, read back.
 *
 * The file is the JSON of plan_json.h.  Reading gives what it is bound to
 * and a plan that can be shown, without spec, lock or service; it cannot be
 * run: apply makes the plan again and compares digests.  The file comes
 * from outside and is believed in nothing that matters.
 */
#ifndef UI_PLAN_FILE_H
#define UI_PLAN_FILE_H

#include "ui/plan_json.h"

enum { PLAN_FILE_BYTES_MAX = 128 << 20 };

struct plan_file {
	struct plan_binding binding;
	struct plan *plan;		/* to be shown only */
	struct sources *sources;	/* that its places point into */
	struct str text;		/* the document as it was read */
	bool sealed;			/* it has a content_digest ... */
	bool whole;			/* ... that fits: see plan_seal.h */
};

/* Understand text (borrowed); path is for messages. */
bool plan_file_parse(struct arena *arena, struct str text, struct str path,
    struct plan_file *out, struct diags *diags);

bool plan_file_read(struct arena *arena, const struct fs *fs,
    const char *path, struct plan_file *out, struct diags *diags);

/*
 * False, with a report, for a file that was changed since it was written:
 * what it shows is not what was planned.
 */
bool plan_file_check(const struct plan_file *file, struct str path,
    struct diags *diags);

/* Write text to path: 0600, a new file moved into place. */
bool plan_file_write(const struct fs *fs,
    const struct chance *chance, const char *path, struct str text,
    struct diags *diags);

#endif
