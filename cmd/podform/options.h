/*
 * options.h - every option, once.
 *
 * One table; from it come parsing, the environment variables PODFORM_*,
 * help, completion and docs/commands.md.  A command takes the options whose
 * group it names; those of OPTIONS_GLOBAL are everyone's.
 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

#include "base/arena.h"
#include "base/diag.h"
#include "spec/spec.h"
#include "ui/style.h"

enum option_type {
	OPTION_FLAG,		/* --x, --x=true|false, --no-x */
	OPTION_COUNT,		/* -v -v */
	OPTION_TEXT,
	OPTION_LIST,		/* repeatable text */
	OPTION_INT,		/* from 1 */
	OPTION_LIMIT,		/* from 0; -1 when it is not given */
	OPTION_BYTES,		/* a limit for Markdown */
	OPTION_DURATION,
	OPTION_CHOICE,		/* an index into choices */
	OPTION_VARIABLE,	/* repeatable NAME=VALUE */
};

enum option_group {
	OPTIONS_GLOBAL = 1,
	OPTIONS_PLAN = 2,	/* what a plan is made of */
	OPTIONS_SHOW = 4,	/* how it is shown */
	OPTIONS_SAVE = 8,	/* --out, --expires, --detailed-exitcode */
	OPTIONS_APPLY = 16,
	OPTIONS_DRY = 32,	/* gc */
	OPTIONS_WATCH = 64,	/* status */
	OPTIONS_GRAPH = 128,
	OPTIONS_YES = 256,	/* --auto-approve alone */
	OPTIONS_LOCK = 512,	/* --lock-timeout alone */
	OPTIONS_OUTPUT = 1024,	/* output --raw */
	OPTIONS_VARS = 4096,	/* values that a spec is loaded with */
	OPTIONS_LIVE = 2048,	/* --refresh alone */
	OPTIONS_SSH = 8192,	/* what goes into pods */
	OPTIONS_EXEC = 16384,
	OPTIONS_LOGS = 32768,
	OPTIONS_ALL = 65536,	/* --all alone */
	OPTIONS_COPY = 131072,
	OPTIONS_FORCE = 262144,	/* state push --force */
	OPTIONS_ACK = 524288,	/* drift ack */
};

struct text_list { VEC_OF(struct str) list; };
struct variable_list { VEC_OF(struct variable) list; };

enum format { FORMAT_TEXT, FORMAT_MARKDOWN, FORMAT_JSON, FORMAT_DOT };

struct options {
	/* everywhere */
	struct str chdir, lock, profile, log_file;
	struct text_list spec;
	bool json, help, quiet, no_color, input;
	bool github;			/* a step of GitHub Actions */
	int64_t verbose;
	int color;			/* enum color_mode */
	int64_t timeout_ms;
	/* plan */
	struct text_list targets, excludes, replaces;
	struct variable_list variables;
	bool destroy, refresh, refresh_only, concise;
	int format;			/* enum format */
	struct str out, policy;
	int64_t max_bytes;		/* 0: as much as a comment takes */
	bool detailed_exitcode;
	int64_t expires_ms;
	/* apply */
	bool auto_approve, allow_empty, over_budget, atomic, fail_fast;
	int on_failure;			/* 0 rollback, 1 keep */
	int64_t parallelism, settle_ms, lock_timeout_ms;
	int64_t max_deletes;		/* -1: any number */
	int64_t drain_ms, idle_window_ms;
	bool force_runners;
	bool force;
	int tunnels;			/* 0 auto, 1 yes, 2 no */
	struct str events;
	struct str reason, until;	/* drift ack */
	/* others */
	bool dry_run, watch, raw;
	/* inside pods */
	int64_t ssh_sessions, tail;
	bool all, interactive, follow;
	bool recursive;			/* cp is so in any case */
	int log_source;			/* enum log_source */
	struct str since;
};

/* --source of logs; SOURCE_DEFAULT when it is not given. */
enum log_source {
	SOURCE_DEFAULT, SOURCE_CONTAINER, SOURCE_SYSTEM, SOURCE_SETUP,
	SOURCE_PROCESS, SOURCE_RUNNER, SOURCE_ALL,
};

struct option {
	const char *name;
	char letter;			/* 0 for none */
	enum option_type type;
	unsigned groups;
	size_t offset;			/* into struct options */
	const char *argument;		/* "FILE"; NULL for flags */
	const char *const *choices;	/* NULL-terminated */
	bool one_dash;			/* -name is accepted too */
	const char *later;		/* set: not built yet */
	const char *help;
};

extern const struct option options_table[];
extern const size_t options_count;

/* The defaults. */
void options_init(struct options *options);

/* By long name, or by letter; NULL if there is none.  Of two options with a
 * letter the one in `groups` is meant, which are those of a command. */
const struct option *options_find(struct str name);
const struct option *options_find_letter(char letter, unsigned groups);
/* The letter of an option for a command with these groups; 0 where another
 * option of the command has it. */
char options_letter(const struct option *option, unsigned groups);

/*
 * Set an option from text; for flags text may be absent.  `shown` is how the
 * user wrote it, for messages.
 */
bool options_set(struct options *options, const struct option *option,
    struct str value, struct arena *arena, const char *shown,
    struct diags *diags);

/* PODFORM_LOCK_TIMEOUT for lock-timeout; in the arena. */
const char *options_variable(struct arena *arena,
    const struct option *option);

#endif
