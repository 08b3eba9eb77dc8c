/*
 * plan_file_parts.h - the plan within a saved plan; private to plan_file.c.
 */
#ifndef UI_PLAN_FILE_PARTS_H
#define UI_PLAN_FILE_PARTS_H

#include "base/json.h"
#include "ui/plan_file.h"

/* Fill out->plan and out->sources; failures stay with the reader. */
void plan_file_read_plan(struct json_reader *reader, struct json_value root,
    struct plan_file *out);

#endif
