/* kinds.c - one row per kind of action: how it starts, what follows, what
 * undoes it. */
#include "run/act.h"

#include <assert.h>

static void
nothing_journaled(struct run *run, struct act *act)
{
	(void)run;
	(void)act;
	assert(false && "this kind journals nothing");
}

static void
nothing_listed(struct run *run, struct act *act, const struct listed *listed)
{
	(void)run;
	(void)act;
	(void)listed;
	assert(false && "this kind waits for no listing");
}

const struct action_row action_rows[ACTION_KIND_COUNT] = {
	[ACTION_VOLUME_CREATE] = {
		.words = "create volume",
		.creates = true, .volume = true,
		.start = create_start, .journaled = create_journaled,
		.answer = create_answer, .listed = create_listed,
		.inverse = ACTION_VOLUME_DELETE,
	},
	[ACTION_VOLUME_UPDATE] = {
		.words = "grow volume",
		.volume = true,
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = nothing_listed,
		.inverse = -1,		/* a volume never shrinks */
	},
	[ACTION_POD_CONFIRM_GONE] = {
		.words = "confirm that it is gone",
		.waits = true,
		.start = confirm_start, .journaled = confirm_journaled,
		.answer = wait_answer, .listed = gone_listed,
		.inverse = -1,
	},
	[ACTION_POD_CREATE] = {
		.words = "create pod",
		.creates = true,
		.start = create_start, .journaled = create_journaled,
		.answer = create_answer, .listed = create_listed,
		.inverse = ACTION_POD_DELETE,
	},
	[ACTION_POD_UPDATE] = {
		.words = "update pod",
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = nothing_listed,
		.inverse = ACTION_POD_UPDATE,
	},
	[ACTION_POD_START] = {
		.words = "start pod",
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = nothing_listed,
		.inverse = ACTION_POD_STOP,
	},
	[ACTION_POD_RUNNING] = {
		.words = "wait until it runs",
		.waits = true,
		.start = running_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = running_listed,
		.inverse = -1,
	},
	[ACTION_POD_SSH] = {
		.words = "wait until SSH answers",
		.waits = true,
		.start = ssh_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = running_listed,
		.inverse = -1,
	},
	[ACTION_POD_LOGIN] = {
		.words = "log in",
		.inside = true,
		.start = login_start, .journaled = nothing_journaled,
		.answer = login_answer, .listed = nothing_listed,
		.ssh = login_ssh,
		.inverse = -1,
	},
	[ACTION_POD_CHECK] = {
		.words = "check",
		.inside = true,
		.start = check_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = check_ssh,
		.inverse = -1,
	},
	[ACTION_POD_SETUP] = {
		.words = "set up",
		.inside = true,
		.start = setup_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = setup_ssh,
		.inverse = -1,
	},
	[ACTION_POD_PROCESS] = {
		.words = "start process",
		.inside = true,
		.start = process_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = process_ssh,
		.inverse = -1,
	},
	[ACTION_POD_BACKUP] = {
		.words = "ask about the backup",
		.inside = true,
		.start = backup_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = backup_ssh,
		.inverse = -1,
	},
	[ACTION_RUNNER_INSTALL] = {
		.words = "install runner",
		.inside = true,
		.start = install_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = install_ssh, .fetched = install_fetched,
		.inverse = -1,
	},
	[ACTION_RUNNER_REGISTER] = {
		.words = "register runner",
		.inside = true, .registers = true,
		.start = register_start, .journaled = register_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.github = register_github,
		.inverse = ACTION_RUNNER_REMOVE,
	},
	[ACTION_RUNNER_START] = {
		.words = "start runner",
		.inside = true,
		.start = listen_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = listen_ssh,
		.inverse = -1,
	},
	[ACTION_RUNNER_ONLINE] = {
		.words = "wait until it is online",
		.inside = true, .registers = true,
		.start = online_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = online_ssh, .github = online_github,
		.runners = online_listed,
		.inverse = -1,
	},
	[ACTION_RUNNER_REMOVE] = {
		.words = "remove runner",
		.inside = true,
		.start = remove_start, .journaled = remove_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.ssh = remove_ssh, .github = remove_github,
		.runners = remove_listed,
		.inverse = -1,
	},
	[ACTION_TUNNEL_OPEN] = {
		.words = "open tunnel",
		.inside = true,
		.start = open_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.holder = open_holder,
		.inverse = ACTION_TUNNEL_CLOSE,
	},
	[ACTION_TUNNEL_CLOSE] = {
		.words = "close tunnel",
		.inside = true,
		.start = close_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.holder = close_holder,
		.inverse = -1,
	},
	[ACTION_POD_STOP] = {
		.words = "stop pod",
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = nothing_listed,
		.inverse = ACTION_POD_START,
	},
	[ACTION_BARRIER] = {
		.words = "all creations are done",
		.waits = true,
		.start = barrier_start, .journaled = nothing_journaled,
		.answer = wait_answer, .listed = nothing_listed,
		.inverse = -1,
	},
	[ACTION_POD_DELETE] = {
		.words = "terminate pod",
		.deletes = true,
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = gone_listed,
		.inverse = -1,		/* gone is gone */
	},
	[ACTION_VOLUME_DELETE] = {
		.words = "delete volume",
		.deletes = true, .volume = true,
		.start = change_start, .journaled = change_journaled,
		.answer = change_answer, .listed = gone_listed,
		.inverse = -1,
	},
};

const char *
action_words(enum action_kind kind)
{
	return action_rows[kind].words;
}
