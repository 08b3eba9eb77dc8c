/*
 * commands.h - every command, once.
 *
 * Help, completion, docs/commands.md and dispatch come from the table.  A
 * command of the contract that is not built yet has no `run`: it says so
 * and exits 1.
 */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "options.h"

struct app;

enum command_group {
	GROUP_MAIN, GROUP_SPEC, GROUP_RECORD, GROUP_ACCOUNT, GROUP_POD,
	GROUP_OTHER, GROUP_HIDDEN
};

struct command {
	const char *name;
	const char *alias;		/* or NULL */
	enum command_group group;
	const char *operands;		/* "[PLANFILE]"; NULL for none */
	size_t min_operands, max_operands;
	unsigned options;		/* enum option_group bits */
	int (*run)(struct app *app);	/* exit code */
	const char *help;		/* one line */
	const char *more;		/* further sentences, or NULL */
};

extern const struct command commands[];
extern const size_t commands_count;

const struct command *command_find(struct str name);
const char *command_group_title(enum command_group group);

/* One file each; see there. */
int cmd_apply(struct app *app);
int cmd_audit(struct app *app);
int cmd_completion(struct app *app);
int cmd_cp(struct app *app);
int cmd_datacenters(struct app *app);
int cmd_destroy(struct app *app);
int cmd_docs(struct app *app);
int cmd_doctor(struct app *app);
int cmd_drift(struct app *app);
int cmd_exec(struct app *app);
int cmd_explain(struct app *app);
int cmd_forget(struct app *app);
int cmd_gc(struct app *app);
int cmd_gpus(struct app *app);
int cmd_graph(struct app *app);
int cmd_help(struct app *app);
int cmd_history(struct app *app);
int cmd_import(struct app *app);
int cmd_init(struct app *app);
int cmd_logs(struct app *app);
int cmd_mv(struct app *app);
int cmd_output(struct app *app);
int cmd_plan(struct app *app);
int cmd_schema(struct app *app);
int cmd_show(struct app *app);
int cmd_ssh(struct app *app);
int cmd_ssh_config(struct app *app);
int cmd_state(struct app *app);
int cmd_status(struct app *app);
int cmd_tunnel(struct app *app);
int cmd_tunnel_hold(struct app *app);
int cmd_unlock(struct app *app);
int cmd_validate(struct app *app);
int cmd_version(struct app *app);
int cmd_why(struct app *app);

#endif
