/*
 * plan_seal.h - does a saved plan hold together?
 *
 * The last member of the document, content_digest, is over the meaning of
 * all the others: blanks, and escapes that stand for the same text, do not
 * count, so that the file may be laid out anew.  It is no signature: it
 * finds what was edited, cut or merged by somebody who means no harm, and
 * what is shown is never what is trusted (see apply_saved.c).
 */
#ifndef UI_PLAN_SEAL_H
#define UI_PLAN_SEAL_H

#include "base/json.h"

#define PLAN_SEAL "content_digest"

/* "sha256:<hex>" of all members of the object but the seal itself. */
struct str plan_seal(struct arena *arena, struct json_value root);

#endif
