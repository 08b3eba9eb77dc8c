/* tasks.c - doing the tasks of base/ssh.h: ssh_start_task() */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/units.h"
#include "ssh/session.h"
#include "ssh/task.h"

enum {
	OUTPUT_KEPT = 64 << 10,
	LINE_MAX_KEPT = 16 << 10,	/* longer ones are kept in pieces */
	KEEP_MAX = 16 << 20,		/* of one task: a pod that talks
					   without end must not fill a disk */
};

struct task {
	struct op op;
	struct ssh *ssh;
	struct arena arena;
	struct ssh_request request;	/* its script is in `input`, wiped */
	void (*done)(void *ctx, const struct ssh_answer *answer);
	void *ctx;
	char token[TASK_TOKEN + 1];
	struct use use;			/* of a login */
	uint64_t part;			/* exec or copy; 0: none */
	struct strbuf input;
	size_t sent;
	struct strbuf output;		/* its last bytes, up to twice max */
	uint64_t output_bytes;
	int keep;			/* local file; -1 */
	size_t kept;			/* bytes */
	struct strbuf line;		/* not yet kept: the begin of a line */
	int keep_error;
	bool began;			/* output came, or a login: it runs */
};

/* ------------------------------------------------------------ what is kept */

static void
write_keep(struct task *task, struct str bytes)
{
	while (bytes.len > 0 && task->keep_error == 0) {
		ssize_t n = write(task->keep, bytes.data, bytes.len);
		if (n > 0)
			bytes = str_sub(bytes, (size_t)n, bytes.len);
		else if (n < 0 && errno != EINTR)
			task->keep_error = errno;
	}
}

static void
keep_clean(struct task *task, struct strbuf *clean)
{
	task->kept += clean->len;
	if (task->kept <= KEEP_MAX)
		write_keep(task, strbuf_str(clean));
	else if (task->kept - clean->len <= KEEP_MAX)
		write_keep(task, STR("== more than 16 MiB: the rest is not "
		    "kept ==\n"));
	strbuf_release(clean);
}

/* A script may print the secrets that it was given: they are looked for in
 * whole lines. */
static void
keep_line(struct task *task)
{
	struct strbuf clean = {0};

	redact(task->request.redactor, &clean, strbuf_str(&task->line));
	keep_clean(task, &clean);
	strbuf_reset(&task->line);
}

/* The front of a line that has no end yet; a secret may lie across any place
 * where it would be cut, so the end of what there is stays. */
static void
keep_front(struct task *task)
{
	struct strbuf clean = {0};
	size_t n = redact_part(task->request.redactor, &clean,
	    strbuf_str(&task->line));

	keep_clean(task, &clean);
	memmove(task->line.data, task->line.data + n, task->line.len - n);
	task->line.len -= n;
}

static void
keep(struct task *task, struct str bytes)
{
	while (bytes.len > 0 && task->keep >= 0 && task->keep_error == 0) {
		ptrdiff_t end = str_find(bytes, '\n');
		size_t n = end < 0 ? bytes.len : (size_t)end + 1;
		strbuf_add(&task->line, str_sub(bytes, 0, n));
		bytes = str_sub(bytes, n, bytes.len);
		if (end >= 0)
			keep_line(task);
		else if (task->line.len >= LINE_MAX_KEPT +
		    redactor_hold(task->request.redactor))
			keep_front(task);
	}
}

/* One older file is kept beside it. */
static void
turn_over(struct str path)
{
	struct arena arena = {0};
	struct stat info;

	if (lstat(path.data, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size >= KEEP_MAX)
		(void)rename(path.data, arena_printf(&arena, STR_FMT ".1",
		    STR_ARG(path)).data);
	arena_release(&arena);
}

static void
open_keep(struct task *task)
{
	const struct clock *clock = task->ssh->config.clock;

	if (task->request.keep.len == 0)
		return;
	turn_over(task->request.keep);
	task->keep = open(task->request.keep.data, O_WRONLY | O_APPEND |
	    O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (task->keep < 0) {
		task->keep_error = errno;
		return;
	}
	struct str when = format_time(&task->arena,
	    clock->wall_ms(clock->ctx));
	write_keep(task, arena_printf(&task->arena, "== " STR_FMT " " STR_FMT
	    " ==\n", STR_ARG(when), STR_ARG(task->request.name)));
}

/* --------------------------------------------------------------- the end -- */

static void
let_go(struct task *task)
{
	uint64_t part = task->part;
	task->part = 0;
	if (part != 0)
		ssh_cancel(task->ssh, part);
	session_leave(&task->use);
	if (task->keep >= 0) {
		keep_line(task);
		close(task->keep);
	}
	task->keep = -1;
	if (task->input.data != NULL)
		explicit_bzero(task->input.data, task->input.len);
	strbuf_reset(&task->input);
}

static void
end(struct task *task, const struct ssh_answer *how)
{
	struct ssh_answer answer = *how;
	size_t max = task->request.max_output;
	struct str output = strbuf_str(&task->output);

	if (task->op.over)
		return;
	answer.output = output.len > max ?
	    str_sub(output, output.len - max, max) : output;
	answer.output_bytes = task->output_bytes;
	answer.reason = arena_str(&task->arena, how->reason);
	if (answer.outcome == SSH_DONE && task->keep_error != 0) {
		answer.outcome = SSH_LOCAL;
		answer.reason = arena_printf(&task->arena,
		    "cannot keep its output in '" STR_FMT "': %s",
		    STR_ARG(task->request.keep), strerror(task->keep_error));
	}
	if (answer.outcome == SSH_DONE)
		task_read_look(answer.output, &answer);
	task->op.over = true;
	task->ssh->work = true;
	/* Also of a part that goes on: it would call back to nobody. */
	let_go(task);
	task->done(task->ctx, &answer);
}

static void
end_with(struct task *task, enum ssh_outcome outcome, struct str reason)
{
	end(task, &(struct ssh_answer){
		.outcome = outcome, .status = -1, .reason = reason,
		.fingerprint = task->use.fingerprint,
	});
}

/* ---------------------------------------------------------------- output -- */

static void
output(void *ctx, int stream, struct str bytes)
{
	struct task *task = ctx;
	size_t max = task->request.max_output;

	(void)stream;
	task->began = true;
	task->output_bytes += bytes.len;
	keep(task, bytes);
	if (task->output.len + bytes.len > 2 * max) {
		/* Only the last bytes count: move them to the front. */
		struct str all = strbuf_str(&task->output);
		size_t left = bytes.len >= max ? 0 : max - bytes.len;
		if (left > all.len)
			left = all.len;
		memmove(task->output.data,
		    task->output.data + all.len - left, left);
		task->output.len = left;
	}
	strbuf_add(&task->output, bytes.len > max ?
	    str_sub(bytes, bytes.len - max, max) : bytes);
}

static void
writable(void *ctx)
{
	struct task *task = ctx;
	struct str left = str_sub(strbuf_str(&task->input), task->sent,
	    task->input.len);

	task->began = true;
	task->sent += ssh_exec_input(task->ssh, task->part, left);
	if (task->sent == task->input.len)
		ssh_exec_input_end(task->ssh, task->part);
}

static void
ended(void *ctx, const struct ssh_answer *answer)
{
	struct task *task = ctx;
	task->part = 0;
	end(task, answer);
}

/* ------------------------------------------------------------- beginning -- */

static void
start_script(struct task *task, struct str package)
{
	static const struct ssh_exec_calls calls = {
		.output = output, .end = ended, .writable = writable,
	};
	const char *why;

	/* Room at once: what moves leaves copies behind. */
	strbuf_pad(&task->input, task->request.script.len * 2 + (64 << 10),
	    0);
	strbuf_reset(&task->input);
	if (!task_script(&task->input, &task->request, task->token, package,
		&why)) {
		end_with(task, SSH_LOCAL, str_from(why));
		return;
	}
	task->part = ssh_exec(task->ssh, &task->request.target,
	    task_command(&task->arena, task->token), &calls, task);
	/* Before the channel is there this takes nothing, and writable()
	 * comes when it is. */
	writable(task);
	task->began = false;
}

static void
copied(void *ctx, const struct ssh_answer *answer)
{
	struct task *task = ctx;
	task->part = 0;
	if (task->request.task != SSH_RUNNER_INSTALL ||
	    answer->outcome != SSH_DONE || answer->status != 0) {
		output(task, 1, answer->output);
		if (answer->outcome == SSH_DONE && answer->status != 0)
			output(task, 1, answer->reason);
		end(task, answer);
		return;
	}
	start_script(task, arena_printf(&task->arena,
	    "/tmp/podform-runner-%s.tar.gz", task->token));
}

static void
progress(void *ctx, struct str path, uint64_t bytes, uint64_t total)
{
	struct task *task = ctx;
	(void)path;
	(void)bytes;
	(void)total;
	task->began = true;
}

static void
start_copy(struct task *task)
{
	static const struct ssh_copy_calls calls = {
		.progress = progress, .end = copied,
	};
	struct str to = task->request.task == SSH_COPY ? task->request.to :
	    arena_printf(&task->arena, "/tmp/podform-runner-%s.tar.gz",
		task->token);
	task->part = ssh_copy_onto(task->ssh, &task->request.target,
	    task->request.from, to, &calls, task);
}

static void
login_up(void *ctx)
{
	struct task *task = ctx;
	end(task, &(struct ssh_answer){
		.outcome = SSH_DONE, .fingerprint = task->use.fingerprint,
	});
}

static void
login_down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	end_with(ctx, outcome == SSH_LOST ? SSH_UNREACHABLE : outcome,
	    reason);
}

/* Began by the first turn: callbacks come from there alone. */
static void
begin(struct task *task)
{
	open_keep(task);
	if (task->keep_error != 0)
		end_with(task, SSH_LOCAL, arena_printf(&task->arena,
		    "cannot open '" STR_FMT "': %s",
		    STR_ARG(task->request.keep),
		    strerror(task->keep_error)));
	else if (task->request.task == SSH_LOGIN) {
		task->use = (struct use){
			.up = login_up, .down = login_down, .ctx = task,
			.target = &task->request.target,
		};
		session_use(task->ssh, &task->use);
	} else if (task->request.task == SSH_COPY ||
	    (task->request.task == SSH_RUNNER_INSTALL &&
		task->request.from.len > 0))
		start_copy(task);
	else
		start_script(task, (struct str){0});
}

/* ---------------------------------------------------------------- ending -- */

static void
no_output(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	(void)stream;
	(void)bytes;
}

static void
killed(void *ctx, const struct ssh_answer *answer)
{
	(void)ctx;
	(void)answer;
}

/* What runs there is to end with us: by a command of its own, since a
 * channel that is closed ends nothing. */
static void
kill_remote(struct task *task)
{
	static const struct ssh_exec_calls calls = {
		.output = no_output, .end = killed,
	};
	if (task->part == 0 || !task->began || task->ssh->ending ||
	    task->request.task == SSH_COPY)
		return;
	uint64_t kill = ssh_exec(task->ssh, &task->request.target,
	    task_kill_command(&task->arena, task->token), &calls, NULL);
	ssh_exec_input_end(task->ssh, kill);
	op_find(task->ssh, kill)->kills = true;
}

static void
due(struct op *op)
{
	struct task *task = (struct task *)op;
	int64_t now = ssh_now(task->ssh);

	if (task->part == 0 && task->use.session == NULL) {
		task->op.due_ms = task->request.timeout_ms > 0 ?
		    now + task->request.timeout_ms : -1;
		begin(task);
		return;
	}
	kill_remote(task);
	end_with(task, task->began ? SSH_TIMED_OUT : SSH_UNREACHABLE,
	    task->began ? STR("it did not end in time") :
	    STR("no session in time"));
}

static void
cancel(struct op *op)
{
	struct task *task = (struct task *)op;
	kill_remote(task);
	let_go(task);
}

static void
release(struct op *op)
{
	struct task *task = (struct task *)op;
	if (task->input.data != NULL)
		explicit_bzero(task->input.data, task->input.cap);
	strbuf_release(&task->input);
	strbuf_release(&task->output);
	strbuf_release(&task->line);
	redactor_free(task->request.redactor);
	arena_release(&task->arena);
	free(task);
}

static struct str
copy(struct arena *arena, struct str text)
{
	return text.data == NULL ? text : arena_str(arena, text);
}

static void
copy_request(struct arena *arena, const struct ssh_request *from,
    struct ssh_request *to)
{
	struct env_var *env = ARENA_ARRAY(arena, struct env_var,
	    from->nenv + 1);
	struct ssh_runner *runner = &to->runner;

	*to = *from;
	to->redactor = redactor_share(from->redactor);
	ssh_copy_target(arena, &from->target, &to->target);
	for (size_t i = 0; i < from->nenv; i++) {
		env[i] = from->env[i];
		env[i].name = copy(arena, env[i].name);
		env[i].value = copy(arena, env[i].value);
	}
	to->env = env;
	struct str *const strs[] = {
		&to->name, &to->script, &to->from, &to->to, &to->log,
		&to->keep, &runner->name, &runner->package.version,
		&runner->package.url, &runner->package.filename,
		&runner->package.sha256, &runner->package.token,
		&runner->jit, &runner->url, &runner->registration_token,
		&runner->labels, &runner->group,
	};
	for (size_t i = 0; i < COUNTOF(strs); i++)
		*strs[i] = copy(arena, *strs[i]);
	if (to->max_output == 0)
		to->max_output = OUTPUT_KEPT;
}

static void
make_token(char token[TASK_TOKEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[TASK_TOKEN / 2];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		abort();	/* up to 256 bytes come whole */
	for (size_t i = 0; i < sizeof bytes; i++) {
		token[2 * i] = digits[bytes[i] >> 4];
		token[2 * i + 1] = digits[bytes[i] & 15];
	}
	token[TASK_TOKEN] = '\0';
}

uint64_t
ssh_start_task(struct ssh *ssh, const struct ssh_request *request,
    void (*done)(void *ctx, const struct ssh_answer *answer), void *ctx)
{
	struct task *task = calloc(1, sizeof *task);
	if (task == NULL)
		fail_out_of_memory();
	task->ssh = ssh;
	task->done = done;
	task->ctx = ctx;
	task->keep = -1;
	task->op = (struct op){
		.due_ms = ssh_now(ssh), .due = due, .cancel = cancel,
		.release = release,
	};
	copy_request(&task->arena, request, &task->request);
	make_token(task->token);
	return op_add(ssh, &task->op);
}
