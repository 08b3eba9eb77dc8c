/*
 * backup.c - before a rollback ends a pod on which something of the user's
 * has run: does its backup.check say that it may be ended?
 *
 * Anything but a clear yes means that the pod is stopped instead, with what
 * is on its disk.
 */
#include "run/act.h"

#include "base/units.h"

#include <assert.h>

enum { BACKUP_MS = 10 * MINUTE_MS };

/* What ends the pod waits for us, so it can still become something else. */
static void
stop_instead(struct run *run, struct act *act, const char *why)
{
	assert(act->ends->phase == PH_WAITING);
	act->ends->kind = ACTION_POD_STOP;
	run_say(run, NOTE_PROGRESS, act, str_from(why));
	act_done(run, act);
}

void
backup_start(struct run *run, struct act *act)
{
	struct host host;
	struct str script, why;
	struct env_var *env;

	act_host(run, act, &host);
	if (host.ssh.port == 0 || host.spec == NULL ||
	    !run_fill_text(run, &host.spec->backup_check, &script, &why) ||
	    !host_env(run, &host, &env, &why)) {
		stop_instead(run, act, "its backup.check cannot be asked; it "
		    "is stopped, not terminated");
		return;
	}
	act->span = host.spec->backup_check.span;
	struct ssh_request *request = host_ask(run, act, &host, SSH_RUN,
	    "backup check", BACKUP_MS);
	request->script = script;
	request->env = env;
	request->nenv = host.spec->nenv;
}

void
backup_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	if (answer->outcome == SSH_DONE && answer->status == 0)
		act_done(run, act);
	else
		stop_instead(run, act, answer->outcome == SSH_DONE
		    ? "its backup.check says no; it is stopped, not "
		      "terminated"
		    : "its backup.check could not be asked; it is stopped, "
		      "not terminated");
}
