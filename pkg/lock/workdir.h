/*
 * workdir.h - .podform, where what belongs to this machine alone lives.
 */
#ifndef LOCK_WORKDIR_H
#define LOCK_WORKDIR_H

#include "base/diag.h"
#include "base/seams.h"

/*
 * Make sure that the directory at path is there: 0700, ours, a real
 * directory that others cannot write to, ignored by git (a .gitignore
 * inside it says so).  Its parent must exist.  False with a report.
 */
bool workdir_open(const struct fs *fs, struct arena *arena, const char *path,
    uint32_t own_uid, struct diags *diags);

#endif
