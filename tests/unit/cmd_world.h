/*
 * cmd_world.h - what a command works with, without a process around it: an
 * app over a disk in memory, a clock that stands, an empty environment.
 * Linked into tests/unit/test_cmd_*.c only.
 */
#ifndef TESTS_CMD_WORLD_H
#define TESTS_CMD_WORLD_H

#include "cmd/podform/app.h"
#include "fake_fs.h"

struct cmd_world {
	struct app app;
	struct fake_fs *fake;
	struct fake_chance chance;
	int64_t now_ms;		/* of both clocks; cmd_world_init(): that of
				   2026-06-01T12:00:00Z */
	struct strbuf said;
};

/* The environment of the process is emptied, too. */
void cmd_world_init(struct cmd_world *world);
void cmd_world_release(struct cmd_world *world);

/* The diagnostics as people see them; they are then forgotten. */
const char *cmd_world_said(struct cmd_world *world);

/* NAME=VALUE into the environment; NULL ends them.  All others go. */
void cmd_world_environment(const char *const *variables);

#endif
