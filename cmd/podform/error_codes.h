/*
 * error_codes.h - what each code at the end of a message means.
 *
 * docs/errors.md and `podform explain PF0611` come from here.  The codes of
 * specs are those of spec/codes.h; all others are in the table of
 * error_codes.c, wherever they are reported.  A test compares both with the
 * source: no code is without a row, and no row without a code.
 */
#ifndef CMD_ERROR_CODES_H
#define CMD_ERROR_CODES_H

#include "base/str.h"
#include "base/strbuf.h"

/* docs/errors.md, whole. */
void error_codes_page(struct strbuf *out);

/* What there is to say about one code; false if it is none of ours. */
bool error_codes_explain(struct strbuf *out, struct str code);

#endif
