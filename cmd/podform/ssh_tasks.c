/* ssh_tasks.c - see ssh_tasks.h */
#include "ssh_tasks.h"

#include <stdlib.h>

#include "host_keys.h"
#include "ssh_world.h"

/* A task on its way, and its answer until the loop hands it out. */
struct task {
	struct task *next;
	uint64_t token, number;
	struct arena arena;
	struct ssh_answer answer;
};

/* A world has one context, that of its loop; so who we are is kept here. */
static struct app *the_app;
static struct task *the_tasks;

static void
unlink_task(struct task *task)
{
	for (struct task **at = &the_tasks; *at != NULL; at = &(*at)->next)
		if (*at == task) {
			*at = task->next;
			return;
		}
}

static struct ssh_answer
copy_answer(struct arena *arena, const struct ssh_answer *answer)
{
	struct ssh_answer kept = *answer;

	kept.output = arena_str(arena, answer->output);
	kept.reason = arena_str(arena, answer->reason);
	kept.fingerprint = arena_str(arena, answer->fingerprint);
	kept.line = arena_str(arena, answer->line);
	return kept;
}

static void
copy(void *kept, struct arena *arena, struct world_event *out)
{
	struct task *task = kept;
	struct ssh_answer *answer = ARENA_NEW(arena, struct ssh_answer);

	*answer = copy_answer(arena, &task->answer);
	out->ssh = answer;
}

static void
release(void *kept)
{
	struct task *task = kept;

	arena_release(&task->arena);
	free(task);
}

static void
done(void *ctx, const struct ssh_answer *answer)
{
	struct task *task = ctx;
	struct world_event event = { .type = WORLD_SSH,
		.token = task->token };

	unlink_task(task);
	task->answer = copy_answer(&task->arena, answer);
	io_world_push(the_app->io, &event, copy, release, task);
}

static void
start_ssh(void *ctx, uint64_t token, const struct ssh_request *asked)
{
	struct task *task = calloc(1, sizeof *task);
	struct ssh_request request = *asked;
	struct str seen;

	(void)ctx;
	if (task == NULL)
		fail_out_of_memory();
	task->token = token;
	task->next = the_tasks;
	the_tasks = task;
	/* Nothing vouches for its key, but podform exec or the like has seen
	 * one in this container: then it is that one. */
	if (request.target.npins == 0) {
		seen = host_keys_seen(the_app, &request.target);
		request.target.pins = &seen;
		request.target.npins = seen.data != NULL;
	}
	task->number = ssh_start_task(ssh_world_ssh(the_app), &request, done,
	    task);
}

bool
ssh_tasks_cancel(uint64_t token)
{
	for (struct task *task = the_tasks; task != NULL; task = task->next)
		if (task->token == token) {
			ssh_cancel(ssh_world_ssh(the_app), task->number);
			unlink_task(task);
			release(task);
			return true;
		}
	return false;
}

void
ssh_tasks_attach(struct app *app)
{
	the_app = app;
	app->world->start_ssh = start_ssh;
}
