/*
 * task.h - the shell text of each task of base/ssh.h, and what its output
 * means.
 *
 * Pure.  A task is one command line, constant but for a random token, which
 * takes a script from its standard input: so nothing secret is ever an
 * argument, and no login shell but a POSIX one needs to understand it.  The
 * script is stored 0600 in a directory of that token, checked to be whole,
 * and removed by its own first line.  dash and busybox are enough.
 */
#ifndef SSH_TASK_H
#define SSH_TASK_H

#include "base/arena.h"
#include "base/ssh.h"
#include "base/strbuf.h"

enum { TASK_TOKEN = 16 };		/* hex digits */

/* Statuses of our scripts, beside SSH_STATUS_CANNOT_FETCH. */
enum {
	TASK_NO_SPACE = 73,	/* no directory can be written to */
	TASK_CUT = 74,		/* the script did not arrive whole */
};

/* The command that runs what it is given. */
struct str task_command(struct arena *arena, const char *token);
/* The command that ends it, whole process group. */
struct str task_kill_command(struct arena *arena, const char *token);

/*
 * The script of a request (not SSH_LOGIN and SSH_COPY), appended to out,
 * which is to be wiped.  `package`: where a copied runner package is on the
 * pod, or absent.  False with a reason (static text) if the request cannot
 * be put into words: a name with a slash, a configuration that is none.
 */
bool task_script(struct strbuf *out, const struct ssh_request *request,
    const char *token, struct str package, const char **why);

/* Take SSH_RUNNER_LOOK's answer from its output; strs borrow it. */
void task_read_look(struct str output, struct ssh_answer *answer);

/* 'text', for a shell. */
void task_quote(struct strbuf *out, struct str text);
/* NAME='value' and a newline, after `prefix`. */
void task_set(struct strbuf *out, const char *prefix, const char *name,
    struct str value);
/* The runner's part; see task_script(). */
bool task_runner_script(struct strbuf *out,
    const struct ssh_request *request, const char *token,
    struct str package, const char **why);
/* May a runner, or a process, be called so? */
bool task_is_name(struct str name);

#endif
