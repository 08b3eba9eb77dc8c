/*
 * diag_json.h - diagnostics in Terraform's JSON shape.
 *
 *	{"severity":"error","summary":"key is open to other users",
 *	 "detail":"hint: chmod 600 id_ed25519","code":"PF0136",
 *	 "range":{"filename":"specs/pods.yaml",
 *	   "start":{"line":31,"column":12,"byte":640},"end":{...}},
 *	 "snippet":{"context":null,"code":"key: id_ed25519","start_line":31,
 *	   "highlight_start_offset":5,"highlight_end_offset":15}}
 *
 * Columns count characters from 1, bytes from 0.  `detail` holds the hints,
 * related places and causes, a line each.  Without a place there is neither
 * range nor snippet.
 */
#ifndef UI_DIAG_JSON_H
#define UI_DIAG_JSON_H

#include "base/diag.h"
#include "base/json.h"

void diag_json(struct json_writer *w, const struct diags *diags,
    const struct diag *diag);

/* An array of all of them. */
void diag_json_list(struct json_writer *w, const struct diags *diags);

/*
 * The answer of `validate --json`: format_version, valid, error_count,
 * warning_count and diagnostics, with a line end.
 */
void diag_json_document(struct strbuf *out, const struct diags *diags);

#endif
