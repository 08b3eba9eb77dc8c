/*
 * workflow.h - what a step of GitHub Actions is told: annotations.
 *
 *	::error file=specs/pods.yaml,line=14,endLine=14,col=3,endColumn=9,
 *	title=PF0103::unknown field 'gpus'
 *
 * GitHub shows ten of each kind per step: of more than that the first nine
 * are given and one that counts the rest.
 */
#ifndef UI_WORKFLOW_H
#define UI_WORKFLOW_H

#include "base/diag.h"

/*
 * Append all diagnostics as annotations, the errors first.  `below` is where
 * the command runs, from the root of the repository: "" or "envs/prod/";
 * "../" when that is elsewhere.
 * root is the repository's, absolute, for names that are so.  Sources outside
 * of it, and standard input, give no file.
 */
void workflow_annotate(struct strbuf *out, const struct diags *diags,
    struct str root, struct str below);

/* What stands behind the second `::` of a command, and a property of it. */
void workflow_add_message(struct strbuf *out, struct str text);
void workflow_add_property(struct strbuf *out, struct str text);

#endif
