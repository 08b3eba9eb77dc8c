/*
 * jsonc_oracle.h - json-c as a second opinion on JSON.
 *
 * In a file of its own, because json-c's headers and ours both have an
 * `enum json_type`.
 */
#ifndef TESTS_UNIT_JSONC_ORACLE_H
#define TESTS_UNIT_JSONC_ORACLE_H

#include <stdbool.h>

#include "base/str.h"
#include "base/strbuf.h"

/* Does json-c, at its strictest, accept text?  If so append its own compact
 * writing of it to out. */
bool jsonc_accepts(struct str text, struct strbuf *out);

#endif
