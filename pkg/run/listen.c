/*
 * listen.c - a registered runner's listener is started, and GitHub's word
 * that it is online is awaited.
 */
#include "run/act.h"

#include "base/units.h"

enum {
	LISTEN_MS = 5 * MINUTE_MS,
	ONLINE_MS = 5 * MINUTE_MS,
	LOOK_MS = 30 * SECOND_MS,
};

/* Something of the user's may run on the pod from now on. */
static void
user_runs(struct run *run, struct act *act)
{
	if (act->change->host_change == SIZE_MAX)
		return;
	struct subject *pod =
	    &run->change_subjects[act->change->host_change];
	act->seen = pod->user_ran;
	pod->user_ran = true;
}

/* Nothing has, after all. */
static void
user_did_not_run(struct run *run, const struct act *act)
{
	if (act->change->host_change != SIZE_MAX)
		run->change_subjects[act->change->host_change].user_ran =
		    act->seen;
}

/* --------------------------------------------------------------- start -- */

static struct str
joined(struct run *run, const struct str *labels, size_t n)
{
	struct strbuf text = {0};

	for (size_t i = 0; i < n; i++) {
		strbuf_adds(&text, i > 0 ? "," : "");
		strbuf_add(&text, labels[i]);
	}
	struct str all = arena_str(run->arena, strbuf_str(&text));
	strbuf_release(&text);
	return all;
}

static bool
is_pinned(const struct plan_change *change)
{
	return !str_is(change->want->runner->version, "latest");
}

void
listen_start(struct run *run, struct act *act)
{
	struct registration *runner = &act->subject->runner;
	const struct lock_runner *config = &act->change->runner_config;
	struct github_scope scope = act_scope(act);
	struct host host;

	if (!act_reach(run, act, &host))
		return;
	struct str web = run->options.github_web.len > 0
	    ? run->options.github_web
	    : STR("https://github.com");
	act->reason = STR("starting its listener");
	user_runs(run, act);
	runner->started = true;
	struct ssh_request *request = host_ask(run, act, &host,
	    SSH_RUNNER_START, "runner start", LISTEN_MS);
	request->runner = (struct ssh_runner){
		.name = runner->name,
		.package = act->change->package,
		.jit = runner->jit,
		.registration_token = runner->token,
		.ephemeral = config->ephemeral,
		.pinned = is_pinned(act->change),
	};
	if (runner->jit.len > 0)
		return;
	request->runner.url = arena_printf(run->arena, STR_FMT "/" STR_FMT,
	    STR_ARG(web), STR_ARG(github_scope_text(&scope)));
	request->runner.labels = joined(run, config->labels, config->nlabels);
	request->runner.group = config->group;
}

/*
 * Words of config.sh and of the listener, and what helps.  Its exit codes say
 * less: 1 is most of these, 2 to 4 are repeated on the pod, 5 is a session
 * that another process has, 7 a version that is refused.
 */
static const struct complaint {
	const char *words, *help;
	bool version;			/* say which version it is of */
} complaints[] = {
	{ "is out of date and can no longer register",
	  "set a newer `version`, or `latest`", true },
	{ "is deprecated and cannot receive messages",
	  "set a newer `version`, or `latest`", true },
	{ "registration has been deleted",
	  "somebody removed it at GitHub meanwhile: apply again", false },
	{ "no longer exists on the server",
	  "somebody removed it at GitHub meanwhile: apply again", false },
	{ "A session for this runner already exists",
	  "another process uses this registration, which belongs to one "
	  "alone: apply again, which makes a new one", false },
	{ "A runner exists with the same name",
	  "apply again, which takes another name", false },
	{ "dependencies is missing",
	  "the image lacks a library: install libicu in it, or set "
	  "`ephemeral: true`, which does without config.sh", false },
	{ "Must not run", "its package refuses to run as root", false },
	{ "Http response code: NotFound",
	  "GitHub does not know what it registers at: check repository or "
	  "organization, and GITHUB_SERVER_URL", false },
	{ "Runner connect error",
	  "the pod does not reach GitHub: it needs outgoing HTTPS", false },
	{ "Invalid configuration provided",
	  "GitHub did not accept its registration token: apply again", false },
};

/* The line of ours among the last ones: why it gave up. */
static struct str
own_words(struct run *run, struct str output)
{
	struct str found = {0};

	while (output.len > 0) {
		struct str line = str_cut(output, '\n', &output);
		if (str_starts(line, STR("podform: ")))
			found = str_sub(line, 9, line.len);
	}
	return last_words(run, found);
}

static void
fail_listening(struct run *run, struct act *act,
    const struct ssh_answer *answer)
{
	const struct complaint *known = NULL;
	struct str words = own_words(run, answer->output);

	if (answer->status == SSH_STATUS_NEVER_LISTENED)
		user_did_not_run(run, act);
	for (size_t i = 0; i < COUNTOF(complaints) && known == NULL; i++)
		if (str_search(answer->output,
			str_from(complaints[i].words)) >= 0)
			known = &complaints[i];
	if (words.len == 0 || answer->status < 0) {
		act_fail_inside(run, act, "starting the runner", answer);
		return;
	}
	if (known == NULL) {
		act_fail(run, act, FAIL_INSIDE, words);
		return;
	}
	struct str version = known->version ? act->change->package.version
					    : (struct str){0};
	act_fail(run, act, FAIL_INSIDE, arena_printf(run->arena,
	    STR_FMT " (%s%s" STR_FMT ")", STR_ARG(words), known->help,
	    known->version ? "; this one is " : "",
	    STR_ARG(version)));
}

void
listen_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct host host;

	act_host(run, act, &host);
	if (act_cut_off(run, act, &host, answer))
		return;
	/* A job on it already: it was started by a try whose answer was lost,
	 * since its directory, like its name, is of this op alone. */
	if (answer->status == 0 || answer->status == SSH_STATUS_HAS_JOB)
		act_done(run, act);
	else
		fail_listening(run, act, answer);
}

/* -------------------------------------------------------------- online -- */

void
online_start(struct run *run, struct act *act)
{
	if (act->deadline_ms == 0)
		act->deadline_ms = run->now_ms + (run->options.online_ms > 0
			? run->options.online_ms
			: ONLINE_MS);
	act->number = act->subject->runner.act->number;
	act->reason = STR("waiting until GitHub calls it online");
	scope_wait(run, act);
}

/* It registered itself, and now it has a number. */
static void
take_number(struct run *run, struct act *act,
    const struct github_runner *runner)
{
	struct act *made = act->subject->runner.act;

	made->intended = false;
	made->effected = true;
	made->number = runner->id;
	made->id = act->id =
	    arena_printf(run->arena, "%lld", (long long)runner->id);
	act->op = made->op;
	act->subject->id = act->id;
	map_put(&run->runners_on, run->arena, made->entry.runner.pod_id,
	    made);
	run->summary.changed = true;
	act_result(run, act, OP_DONE, NEXT_DONE, false);
}

void
online_listed(struct run *run, struct act *act,
    const struct github_answer *answer)
{
	const struct github_runner *runner = answer->outcome == OUTCOME_OK
	    ? runner_listed(act, answer, act->subject->runner.name)
	    : NULL;
	const struct act *made = act->subject->runner.act;

	if (runner != NULL && runner->online) {
		if (made->intended)
			take_number(run, act, runner);
		else
			act_done(run, act);
		return;
	}
	if (answer->outcome == OUTCOME_NO_EFFECT &&
	    answer->reason == REASON_AUTH) {
		act_fail(run, act, FAIL_AUTH,
		    last_words(run, answer->message));
		return;
	}
	/* One that takes one job may be gone before anybody has seen it. */
	if (runner == NULL && answer->outcome == OUTCOME_OK &&
	    made->entry.runner.jit && act->number != 0) {
		github_ask(run, act, GITHUB_GET_RUNNER);
		return;
	}
	if (run->now_ms < act->deadline_ms)
		return;
	struct host host;
	if (!act_reach(run, act, &host))
		return;
	host_ask(run, act, &host, SSH_RUNNER_LOOK, "runner look",
	    LOOK_MS)->runner.name = act->subject->runner.name;
}

/* It listened, and GitHub has removed it since: its job is done. */
void
online_github(struct run *run, struct act *act,
    const struct github_answer *answer)
{
	if (answer->outcome == OUTCOME_NO_EFFECT &&
	    answer->reason == REASON_NOT_FOUND) {
		act->ended_how = STR("has taken its job, or was removed, and "
		    "is gone again");
		act_done(run, act);
		return;
	}
	scope_wait(run, act);
}

/* Too late; what does its own log say? */
void
online_ssh(struct run *run, struct act *act, const struct ssh_answer *answer)
{
	struct str words = answer->outcome == SSH_DONE
	    ? last_words(run, answer->line)
	    : (struct str){0};

	act_fail(run, act, FAIL_TIMEOUT, arena_printf(run->arena,
	    "GitHub does not call it online after " STR_FMT "%s" STR_FMT,
	    STR_ARG(format_duration(run->arena,
		run->now_ms - act->started_ms)),
	    words.len > 0 ? "; its log: " : "",
	    STR_ARG(words)));
}
