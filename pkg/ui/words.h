/*
 * words.h - the words for what a plan says, shared by text, JSON and events.
 *
 * The JSON words are a contract (docs: the plan as JSON) and are never
 * reworded; the ones for people may be.
 */
#ifndef UI_WORDS_H
#define UI_WORDS_H

#include "plan/plan.h"
#include "ui/style.h"

/* `+`, `-`, `~`, `-/+`, `+/-`, `.`, `^`, `v`. */
const char *words_symbol(const struct plan_change *change);
enum paint words_paint(enum plan_op op);

/* JSON array of a change's actions: ["delete","create"]. */
const char *words_actions(const struct plan_change *change);
/* The reverse, for reading a saved plan; false for words we do not know. */
bool words_parse_actions(struct str actions, enum plan_op *op,
    bool *create_first);

/* "will be replaced: gpu.type cannot change in place", in the arena. */
struct str words_header(struct arena *arena,
    const struct plan_change *change);

/* "was stopped", "has changed": what happened outside of podform. */
const char *words_drift(const struct plan_drift *drift);

/* The name that people know it by: `train-0`, without its mark. */
struct str words_label(struct arena *arena,
    const struct plan_change *change);

/* "restarts the container: what is outside volumes is lost". */
/* What is done inside a pod; what a runner is for.  Absent: nothing. */
struct str words_inside(struct arena *arena,
    const struct plan_change *change);
struct str words_runner(struct arena *arena,
    const struct plan_change *change);
const char *words_danger(const char *code);
/* "terminate it"; the code itself when there is nothing better. */
struct str words_undo(struct arena *arena, const struct plan_change *change);
const char *words_on_failure(enum on_failure on_failure);
const char *words_on_failure_code(enum on_failure on_failure);
const char *words_mode(enum plan_mode mode);	/* normal|destroy|... */
const char *words_tier(enum cloud_tier tier);	/* SECURE|COMMUNITY|ANY */
const char *words_stock(enum stock stock);	/* NONE|LOW|MEDIUM|HIGH|"" */
const char *words_check(enum check_status status);	/* pass|warn|fail */
/* "A40 in EU-RO-1 MEDIUM $0.44/h", in the arena. */
struct str words_candidate(struct arena *arena,
    const struct candidate *candidate);
/* "1 pod", "2 pods"; in the arena. */
struct str words_count(struct arena *arena, size_t n, const char *noun);
/* "2 s ago", "5 min ago", "3 h ago", "2 days ago". */
struct str words_ago(struct arena *arena, int64_t ms);

#endif
